import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type EntryName, isText, joined, shown } from '../../alloc/entry-name.ts'
import type { Command } from '../../api.ts'
import type { MountOp } from '../../spawn/spec.ts'
import { type Row, skipped } from '../rows.ts'
import { bind, inside } from './mount-ops.ts'

/** Where links lead that stand for files of the task's among the host's: its directories as they are. */
export const liveDirectory = '/.holdfast'

/**
 * Names at the top of the new root that belong to the system or to holdfast; a task directory cannot replace
 * them.
 */
export const reserved: ReadonlySet<string> = new Set([
  liveDirectory.slice(1),
  'bin',
  'sbin',
  'etc',
  'lib',
  'lib32',
  'lib64',
  'usr',
  'dev',
  'proc',
  'sys',
  'tmp',
  'alloc',
  'local',
])

/**
 * What the orchestrator has put into the task directory, at the top of the root; a row for each entry that
 * cannot be there. `system`: what is there already. Without a directory there is nothing of the kind.
 * `merged`: what is there already of the task directory itself.
 */
export function taskEntries(
  directory: string | null,
  system: readonly MountOp[],
  command: Readonly<Command>,
  { workspace, merged = new Set() }: Elsewhere = {},
): Entries {
  if (directory === null) return nothing
  const placed = placedBy(command)
  if (workspace !== undefined) placed.add(workspace)
  const taken = new Set(system.map(({ at }) => at.split('/')[1]))
  const ops: MountOp[] = []
  const rows: Row[] = []
  for (const entry of readdirSync(directory, { withFileTypes: true, encoding: 'buffer' })) {
    const name = entry.name.toString()
    const source = join(directory, name)
    if (!isText(entry.name)) {
      rows.push(noText(joined(directory, entry.name)))
      continue
    }
    if (name === 'alloc' || name === 'local' || placed.has(`/${name}`) || merged.has(name)) continue
    if (reserved.has(name) || taken.has(name)) rows.push(clash(source, name))
    else if (entry.isSymbolicLink()) {
      const to = readlinkSync(source, { encoding: 'buffer' })
      if (isText(to)) ops.push({ op: 'symlink', to: to.toString(), at: `/${name}` })
      else rows.push(noText(source))
    } else ops.push(bind(source, `/${name}`, true))
  }
  return { ops, rows }
}

type Elsewhere = { readonly workspace?: string | undefined; readonly merged?: ReadonlySet<string> }

type Entries = { readonly ops: readonly MountOp[]; readonly rows: readonly Row[] }

const nothing: Entries = { ops: [], rows: [] }

/** Bytes that are no UTF-8, in its name or where it leads: nothing that is asked for here can say them. */
export function noText(source: EntryName): Row {
  return skipped(
    { name: 'root', kind: 'isolation', requested: `${shown(source)} at the top of the root` },
    'its name, or what it links to, is no UTF-8',
    'give it a name that is, or put it into a directory',
  )
}

function clash(source: string, name: string): Row {
  return skipped(
    { name: 'root', kind: 'isolation', requested: `${source} at /${name}` },
    `/${name} is the system's in the task's root`,
    `give it another name, or name it in command.root.embed; beside the system's own files it has to be a directory`,
  )
}

/**
 * What the command itself says of the top of the root goes before what happens to lie in the task directory,
 * and is no clash.
 */
function placedBy({ mounts = [], tmpfs = [] }: Readonly<Command>): Set<string> {
  return new Set([...mounts, ...tmpfs].map(({ target }) => inside(target)))
}
