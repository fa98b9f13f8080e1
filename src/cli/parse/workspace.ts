import { resolve } from 'node:path'
import type { Workspace } from '../../index.ts'
import { invalidArgument } from '../../invalid-argument.ts'

/** `DIR` or `DIR:ro`; a relative one is relative to the current directory. Throws INVALID_ARGUMENT. */
export function parseWorkspace(flag: string, text: string): string | Workspace {
  const readOnly = text.endsWith(':ro')
  const directory = readOnly ? text.slice(0, -3) : text
  if (directory === '') throw invalidArgument(flag, text, 'DIR or DIR:ro, such as -w .')
  const path = absolute(flag, directory)
  return readOnly ? { path, readOnly } : path
}

function absolute(flag: string, directory: string): string {
  try {
    return resolve(directory)
  } catch {
    throw invalidArgument(flag, directory, 'an absolute DIR, for the working directory has been deleted')
  }
}
