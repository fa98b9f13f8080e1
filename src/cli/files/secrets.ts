import { readSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'
import { refuseChangedVariable } from '../parse/own-bytes.ts'
import { readTrusted } from './read-trusted.ts'

/** A byte more than the library takes of one: enough to be refused. */
const maxRead = (1 << 20) + 1

/**
 * `NAME=FILE`, or `NAME` for the variable of that name in `own`; what they hold is never part of an error.
 * Throws INVALID_ARGUMENT, PERMISSION where a task could have put a link on the way to the file.
 */
export function parseSecrets(
  entries: readonly string[],
  own: NodeJS.ProcessEnv = process.env,
): Record<string, string | Uint8Array> {
  return Object.fromEntries(entries.map(entry => secret(entry, own)))
}

/** A variable that is a secret is to be no variable of the task. Throws INVALID_ARGUMENT. */
export function refuseShownSecrets(
  entries: readonly string[],
  env: Readonly<Record<string, string>> = {},
): void {
  const shown = entries.find(entry => !entry.includes('=') && Object.hasOwn(env, entry))
  if (shown !== undefined)
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `--secret ${shown}: --env or --env-file gives the task the same as a variable`,
      {
        hint: 'Leave it out there: the task reads it from the directory that HOLDFAST_SECRETS_DIR names.',
      },
    )
}

function secret(entry: string, own: NodeJS.ProcessEnv): [string, string | Uint8Array] {
  const end = entry.indexOf('=')
  if (end > 0) return [entry.slice(0, end), readTrusted('--secret', entry.slice(end + 1), readAll)]
  const value = end === 0 || entry === '' ? undefined : own[entry]
  if (value !== undefined) {
    refuseChangedVariable(entry, value, { flag: '--secret' })
    return [entry, value]
  }
  const problem =
    end === 0 || entry === '' ? 'a secret has no name' : `${JSON.stringify(entry)} is not set here`
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `--secret: ${problem}; takes NAME=FILE, or NAME for the variable of that name`,
  )
}

/** It may be a pipe. */
function readAll(fd: number): Uint8Array {
  const bytes = Buffer.alloc(maxRead)
  let size = 0
  for (let count = -1; count !== 0 && size < maxRead; size += count)
    count = readSync(fd, bytes, size, maxRead - size, null)
  return bytes.subarray(0, size)
}
