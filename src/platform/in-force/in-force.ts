import { realpathSync } from 'node:fs'
import type { EnforcedRecord, KernelFacts, ProcessIdentity } from '../../../machines/index.ts'
import type { Enforcement, Resources } from '../../api.ts'
import { isAlive, isEnding, isHidden, processExists } from '../../spawn/process-table.ts'
import { byShim } from '../exec-rows.ts'
import { blockDeviceNumber } from '../linux/block-device.ts'
import { limitsOf } from '../linux/limit-rows.ts'
import { type Limits, normalizeLimits } from '../limits.ts'
import type { ReadRow, ToVerify } from '../port.ts'
import { type CgroupFiles, type Limited, presentFiles, recordedFiles } from './cgroup-files.ts'
import { limitInForce } from './cgroup-limits.ts'
import { diskRow } from './disk.ts'
import { type Finding, judged, unread, unverifiable } from './finding.ts'
import { type Compared, privileges } from './privileges.ts'
import { type ProcessFacts, ownNamespaces, ownRoot, processFacts } from './process-facts.ts'
import { rlimitInForce } from './rlimits.ts'
import {
  insideInForce,
  namespaceInForce,
  type NamespaceName,
  networkInForce,
  type Others,
  rootInForce,
} from './walls.ts'

/** Reads back what is in force. Null: the process has just ended. */
export function readInForce(task: ToVerify, limited: Omit<Limited, 'pid'>): readonly ReadRow[] | null {
  const facts = processFacts(task.start.task)
  const shim = processFacts(task.start.shim)
  if (facts === null || shim === null) return goesOn(task.start.task) ? withoutFacts(task) : null
  const target = task.inside && processFacts(task.inside.start.task)
  const cgroups = presentFiles({ ...limited, cgroups: limited.cgroups.map(real), pid: task.start.task.pid })
  return verified(task, {
    facts,
    shim,
    target,
    reader: { namespaces: ownNamespaces(), root: ownRoot() },
    cgroups,
    ofShim: keptByShim(task.start),
  })
}

/** What the shim has read at the start, before the program ran. */
export function recordedInForce(task: ToVerify, record: EnforcedRecord): readonly ReadRow[] {
  const { start, inside } = task
  return verified(task, {
    facts: { ...record.task, limits: record.limits },
    shim: record.shim,
    target: inside && (inside.enforced?.task ?? processFacts(inside.start.task)),
    reader: { namespaces: null, root: null },
    cgroups: recordedFiles(record),
    ofShim: judged(true, `kept by the shim, process ${start.shim.pid}`),
  })
}

/** All that rows are compared with, whether it is so now or was at the start. */
type Source = Facts & {
  readonly reader: { readonly namespaces: KernelFacts['namespaces'] | null; readonly root: string | null }
  readonly cgroups: CgroupFiles
  /** Of what the shim itself keeps. */
  readonly ofShim: Finding
}

function verified(task: ToVerify, source: Source): readonly ReadRow[] {
  const walls = wallsOf(task, source)
  return task.rows.map(row => {
    const finding = row.kind === 'isolation' ? (walls(row) ?? unverifiable) : limitOf(row, task, source)
    return Object.assign({ ...row }, finding)
  })
}

/** Of a process that may not be read, or of a system that tells nothing of it: the shim's part is known. */
function withoutFacts({ rows, start }: ToVerify): readonly ReadRow[] {
  return rows.map(row => {
    if (row.status === 'skipped') return { ...row, ...unverifiable }
    return { ...row, ...(byShim.has(row.name) ? keptByShim(start) : unread('its process may not be read')) }
  })
}

function keptByShim({ shim }: ToVerify['start']): Finding {
  return mayLive(shim)
    ? judged(true, `kept by the shim, process ${shim.pid}`)
    : judged(false, 'its shim is gone')
}

function goesOn(identity: ProcessIdentity): boolean {
  return mayLive(identity) && !isEnding(identity)
}

/**
 * That the shim lives is known by then. A system that does not tell of this very process tells of none, and
 * one that hides processes (hidepid) does not tell of this one, or did not when its start time was to be
 * recorded.
 */
function mayLive(identity: ProcessIdentity): boolean {
  if (isAlive(identity) || !processExists(process.pid)) return true
  return identity.startTime === 0 || isHidden(identity.pid)
}

type Facts = { readonly facts: ProcessFacts; readonly shim: KernelFacts; readonly target: KernelFacts | null }

function wallsOf(
  { asked, inside }: ToVerify,
  { facts, shim, target, reader }: Source,
): (row: Enforcement) => Finding | null {
  if (asked === null)
    return row =>
      row.status === 'skipped' ? null : unread('an earlier version has not kept what it asked for')
  const userNamespace = (inside === null ? shim : target)?.namespaces.user ?? null
  const compared: Compared = { asked, task: facts, shim, userNamespace }
  const others: Others = { shim: shim.namespaces, reader: reader.namespaces }
  const byName: Readonly<Record<string, () => Finding>> = {
    ...privileges(compared),
    root: () => rootInForce(compared, [shim.root, reader.root]),
    network: () => networkInForce(asked.networkPath, compared, others),
    ...(inside !== null && { inside: () => insideInForce(compared, target) }),
  }
  return row => {
    if (!claims(row)) return null
    const namespace = /^namespace\.(\w+)$/.exec(row.name)?.[1]
    if (namespace !== undefined) return namespaceInForce(namespace as NamespaceName, compared, others)
    return byName[row.name]?.() ?? null
  }
}

/** What a weakened row says of a user or of capabilities is in force all the same; of a root it is none. */
function claims({ name, status }: Enforcement): boolean {
  return status === 'enforced' || (status === 'weakened' && ['user', 'capabilities'].includes(name))
}

function limitOf(
  row: Enforcement,
  { asked, disk, resources, start }: ToVerify,
  { facts: { limits }, cgroups, ofShim }: Source,
): Finding {
  const rlimit = /^rlimits\.(\w+)$/.exec(row.name)?.[1]
  // Also of one that an update has weakened: the process has what it was started with.
  if (rlimit !== undefined) return rlimitInForce(rlimit, asked?.rlimits ?? [], limits)
  if (row.status === 'skipped') return unverifiable
  if (byShim.has(row.name)) return ofShim
  if (row.name === 'diskBytes') return diskRow(row, resources.diskBytes, disk)
  const known = normalized(resources)
  if (known === null) return unread('its device is gone')
  return limitInForce(limitsOfRow(row.name, resources), known, start.task.pid, cgroups)
}

/** Swap goes with memory unless it has a row of its own. */
function limitsOfRow(name: string, resources: Resources): ReadonlySet<keyof Limits> {
  const limits = limitsOf({ [name]: 0 })
  return resources.swapBytes === undefined || name === 'swapBytes'
    ? limits
    : new Set([...limits].filter(limit => limit !== 'swap'))
}

function normalized(resources: Resources): Limits | null {
  try {
    return normalizeLimits(resources, device => blockDeviceNumber(device))
  } catch {
    return null
  }
}

/** Hierarchies have several names. */
function real(dir: string): string {
  try {
    return realpathSync(dir)
  } catch {
    return dir
  }
}
