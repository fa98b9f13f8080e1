import { lstatSync, readdirSync, unlinkSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { mountsWithin } from '../alloc/mounts.ts'
import { isHeld } from '../spawn/alive.ts'
import { KeepAlive } from '../spawn/keep-alive.ts'
import { isOurs } from '../task/disk/place.ts'
import { discardTask } from '../task/discard.ts'
import { shimMayLive } from '../task/shim-life.ts'
import { isTaskKey } from '../task/task-id.ts'
import { each, type Found, isAged, ownerOf, type AuditContext } from './found.ts'
import { type Holders, lookForHolders } from './holders.ts'

/**
 * A start builds the allocation first and the record directory after it has looked at the host, which may ask
 * a slow directory service for the user: an allocation without a task is given more time than the rest.
 */
const allocationMs = 60_000

/**
 * Directories of tasks that were never quite made, or never quite removed; and files that nobody will rename
 * any more.
 */
export async function leftoversOfTasks(context: AuditContext): Promise<Found[]> {
  return each(context.state.list(), key => {
    const dir = context.state.taskDirectory(key)
    const files = list(dir)
    if (files === null) return []
    if (!files.includes('task.json')) return ofHalfATask(context, key, dir)
    // Without an exit record the next supervisor has yet to find out what became of it, from what lies here.
    if (!files.includes('exit.json')) return []
    return temporaryFiles(context, dir, files)
  })
}

function ofHalfATask(context: AuditContext, key: string, dir: string): Found[] {
  if (!isAged(context, dir) || shimMayLive(dir)) return []
  return [
    {
      kind: 'task',
      path: dir,
      why: 'it has no task.json, and no shim is at work in it',
      remove: () => discardTask({ state: context.state, keepAlive: new KeepAlive() }, key),
    },
  ]
}

function temporaryFiles(context: AuditContext, dir: string, files: readonly string[]): Found[] {
  const temporary = files.filter(name => /\.(?:tmp|later)$/.test(name)).map(name => join(dir, name))
  const aged = temporary.filter(path => isPlain(path) && isAged(context, path))
  if (aged.length === 0 || shimMayLive(dir)) return []
  return aged.map(path => ({
    kind: 'file',
    path,
    why: 'it was to be renamed, and the task has ended',
    remove: () => unlinkSync(path),
  }))
}

/** Allocations that were made for one task each, and whose task is not there. */
export async function leftoverAllocations(context: AuditContext): Promise<Found[]> {
  let holds: Holders | undefined
  const keys = (list(join(context.state.path, 'allocs')) ?? []).filter(isTaskKey)
  const known = new Set(context.state.list())
  return each(keys, key => {
    const path = context.state.allocDirectory(key)
    if (known.has(key) || !isAged(context, path, allocationMs)) return []
    holds ??= lookForHolders()
    if (holds(key, ownerOf(path))) return []
    const remove = (): Promise<void> => context.state.removeAlloc(key)
    return [{ kind: 'allocation', path, why: `there is no task ${key}`, remove }]
  })
}

/** FIFOs of supervisors that are gone. */
export async function leftoversOfSupervisors(context: AuditContext): Promise<Found[]> {
  const dir = context.state.lifelinesPath
  const paths = (list(dir) ?? []).filter(name => /^\d+-[0-9a-f]{12}$/.test(name)).map(name => join(dir, name))
  return each(paths, path => {
    if (!isFifo(path) || !isAged(context, path) || isHeld(path)) return []
    return [{ kind: 'supervisor', path, why: 'its supervisor is gone', remove: () => unlinkSync(path) }]
  })
}

/**
 * Tasks mount nothing on the host but the file systems of `diskBytes`: whatever else it is, somebody has put
 * it there, and it is only shown.
 */
export async function mountsBelow({ state }: AuditContext): Promise<Found[]> {
  const real = await realpath(state.path).catch(() => null)
  if (real === null) return []
  const mounts = await mountsWithin(real)
  return mounts
    .filter(path => path !== real && !isDisk(state, real, path))
    .map(path => ({
      kind: 'mount',
      path,
      why: `holdfast mounts nothing there; if it is of no use: umount '${path}'`,
      remove: null,
    }))
}

/** Of a task that is there; or, where that is gone, one that goes with its allocation. */
function isDisk(state: AuditContext['state'], real: string, path: string): boolean {
  const key = basename(path)
  return path === join(real, 'allocs', key) && isOurs(path, state.taskDirectory(key))
}

/** Null where there is no such directory. */
function list(dir: string): string[] | null {
  try {
    return readdirSync(dir)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

function isPlain(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function isFifo(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false
}
