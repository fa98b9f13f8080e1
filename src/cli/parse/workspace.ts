import { resolve } from 'node:path'
import { HoldfastError } from '../../errors.ts'
import type { Workspace } from '../../index.ts'
import type { Sets } from '../flags/flag.ts'
import { invalidArgument } from '../../invalid-argument.ts'

/** `DIR` or `DIR:ro`; a relative one is relative to the current directory. Throws INVALID_ARGUMENT. */
export function parseWorkspace(flag: string, text: string): string | Workspace {
  const readOnly = text.endsWith(':ro')
  const directory = readOnly ? text.slice(0, -3) : text
  if (directory === '') throw invalidArgument(flag, text, 'DIR or DIR:ro, such as -w .')
  const path = absolute(flag, directory)
  return readOnly ? { path, readOnly } : path
}

/** Makes an overlay of the workspace that was asked for. Throws INVALID_ARGUMENT where none was. */
export const overlaid: Sets = {
  field: 'command.workspace',
  read: ({ command }, _passed, flag) => {
    const { workspace } = command
    if (workspace === undefined)
      throw new HoldfastError('INVALID_ARGUMENT', `${flag}: there is no directory to lay it over`, {
        hint: 'name one: -w DIR',
      })
    const asked = typeof workspace === 'string' ? { path: workspace } : workspace
    command.workspace = { ...asked, overlay: true }
  },
}

function absolute(flag: string, directory: string): string {
  try {
    return resolve(directory)
  } catch {
    throw invalidArgument(flag, directory, 'an absolute DIR, for the working directory has been deleted')
  }
}
