import { type Joined, refuseNul } from './refuse-nul.ts'
import type { LaunchSpec, MountOp } from './spec.ts'

/** What comes before a root's own part: the operations that tasks share are the same objects for each. */
let lastShared: (Joined & { readonly operations: readonly MountOp[] }) | null = null

export function sharedRoot({ root, rootShared }: Pick<LaunchSpec, 'root' | 'rootShared'>): Joined {
  const last = lastShared
  if (last?.operations.length === rootShared && last.operations.every((known, at) => known === root[at]))
    return last
  const operations = root.slice(0, rootShared)
  const fields: string[] = []
  for (const operation of operations) pushMount(fields, operation)
  fields.push('root-shared')
  const text = fields.join('\0')
  refuseNul(fields, text)
  lastShared = { operations, text, separators: fields.length - 1 }
  return lastShared
}

export function pushMount(fields: string[], operation: MountOp): void {
  fields.push(`root-${operation.op}`, ...mountOperands(operation))
  if ((operation.op === 'bind' || operation.op === 'overlay') && operation.map)
    fields.push('root-map', ...mapOperands(operation.map))
}

function mountOperands(operation: MountOp): string[] {
  switch (operation.op) {
    case 'dir':
      return [operation.at, octal(operation.mode)]
    case 'symlink':
      return [operation.to, operation.at]
    case 'bind':
      return [operation.base ?? '', operation.source, operation.at, bindFlags(operation)]
    case 'overlay':
      return [operation.source, operation.state, operation.at]
    case 'entries':
      return [operation.source, operation.at]
    case 'tmpfs':
      return [operation.at, `${operation.sizeBytes}`, octal(operation.mode)]
    case 'pts':
      return [operation.at, `${operation.gid ?? -1}`]
    case 'file':
      return [operation.at, operation.source ?? '', operation.text]
    case 'node':
      return [operation.at, `${operation.major}`, `${operation.minor}`]
    case 'secrets':
    case 'proc':
    case 'mqueue':
    case 'mask':
    case 'freeze':
    case 'readonly':
      return [operation.at]
  }
}

type IdMap = NonNullable<(MountOp & { op: 'bind' })['map']>

function mapOperands({ owner, user }: IdMap): string[] {
  return [owner.uid, owner.gid, user.uid, user.gid].map(String)
}

function bindFlags({ readOnly, devices }: { readonly readOnly: boolean; readonly devices: boolean }): string {
  return [readOnly && 'ro', devices && 'dev'].filter(Boolean).join(',')
}

const octal = (mode: number): string => mode.toString(8)
