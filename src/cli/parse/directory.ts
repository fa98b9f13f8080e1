import { posix, resolve } from 'node:path'
import { invalidArgument } from '../../invalid-argument.ts'

/** A directory as the task sees it, which knows nothing of this program's own. Throws INVALID_ARGUMENT. */
export function parseDirectory(flag: string, text: string): string {
  if (text === '' || posix.isAbsolute(text)) return text
  throw invalidArgument(flag, text, 'an absolute path, as the task sees it', hint(text))
}

function hint(text: string): string | undefined {
  try {
    const here = resolve(text)
    return `for ${here} of the host: -w ${here}`
  } catch {
    // The working directory has been deleted.
    return undefined
  }
}
