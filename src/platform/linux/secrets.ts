import { posix } from 'node:path'
import type { Command } from '../../api.ts'
import { HoldfastError } from '../../errors.ts'
import type { TaskRequest } from '../port.ts'
import { enforced, type Row } from '../rows.ts'

/** Where a task finds its secrets. */
export const secretsDir = '/secrets'

/**
 * The rows of a task's secrets, none where it has none. They lie in memory that its own root alone shows.
 * Throws UNSUPPORTED where it gets no such root, and INVALID_ARGUMENT where something else is to be at their
 * place.
 */
export function secretsRows(
  { command, secrets = [] }: TaskRequest,
  ownRoot: boolean,
  rows: readonly Row[],
): Row[] {
  if (secrets.length === 0) return []
  if (!ownRoot) throw withoutRoot(rows)
  const other = targetsOf(command).find(at => at === secretsDir || at.startsWith(`${secretsDir}/`))
  if (other !== undefined)
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `command.secrets cannot go with a mount at ${other}: that is where they are`,
      { path: other, hint: 'mount it elsewhere' },
    )
  return [enforced({ name: 'secrets', kind: 'isolation', requested: secrets.join(', ') })]
}

function targetsOf({ mounts = [], tmpfs = [], root }: Readonly<Command>): string[] {
  const embedded = typeof root === 'object' ? Object.values(root.embed) : []
  const targets = [...mounts, ...tmpfs].map(({ target }) => target)
  return [...targets, ...embedded].map(target => posix.join('/', target).replace(/(?<=.)\/$/, ''))
}

/** Elsewhere they would lie on a disk, or where others see them. */
function withoutRoot(rows: readonly Row[]): HoldfastError {
  const root = rows.find(({ name }) => name === 'root')
  return new HoldfastError(
    'UNSUPPORTED',
    `command.secrets: they need a root of the task's own${root?.reason ? `: ${root.reason}` : ''}`,
    { stage: 'namespace', hint: root?.hint ?? "leave root: 'host' and namespaces.mount: false out" },
  )
}
