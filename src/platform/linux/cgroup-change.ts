import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { hintFor } from '../../../machines/errno-hints.ts'
import { HoldfastError } from '../../errors.ts'
import type { CgroupWrite } from './cgroups.ts'
import { type DeferredCgroup, makeDeferred, moveInto, removeDeferred } from './deferred-cgroups.ts'

/**
 * Makes the cgroups that the task comes into, writes one value after the other, and moves the task, whose
 * processes are those in `members`. When the kernel refuses a step, those before it are undone, last first,
 * so that the task has either all of its new limits or its old ones. Throws LIMIT_FAILED, which says so or
 * names what could not be set back; INVALID_STATE when the cgroup is gone.
 */
export function changeCgroups(
  writes: readonly CgroupWrite[],
  deferred: readonly DeferredCgroup[] = [],
  members = '',
): void {
  const undo: Undo[] = []
  const attempt = (path: string, what: string, step: () => Undo): void => {
    try {
      undo.unshift(step())
    } catch (error) {
      const notBack = undo.flatMap(back => back() ?? [])
      throw refused(path, what, error as NodeJS.ErrnoException, notBack)
    }
  }
  const write = (one: CgroupWrite, step: () => Undo): void =>
    attempt(one.path, `take ${one.value} for ${basename(one.path)}`, step)
  for (const group of deferred) {
    attempt(group.dir, 'make it a cgroup', () => made(group))
    for (const one of valuesOf(group)) write(one, () => written(one))
  }
  for (const one of inOrder(writes)) write(one, () => changed(one))
  for (const group of deferred) attempt(group.dir, 'let the task in', () => moved(group, members))
}

/** Says which file it could not set back. */
type Undo = () => string | null

function made(group: DeferredCgroup): Undo {
  const ours = makeDeferred(group)
  return () => {
    if (ours) removeDeferred(group)
    return null
  }
}

function valuesOf({ dir, files }: DeferredCgroup): CgroupWrite[] {
  return files.map(({ name, value }) => ({ path: join(dir, name), value }))
}

/** Of a cgroup that nobody is in yet. */
function written(write: CgroupWrite): Undo {
  put(write)
  return () => null
}

function changed(write: CgroupWrite): Undo {
  const before = readFileSync(write.path, 'utf8')
  makeRoom(write)
  put(write)
  const earlier = { path: write.path, value: earlierValue(write, before) }
  return () => (isPut(earlier) ? null : write.path)
}

function moved(group: DeferredCgroup, members: string): Undo {
  const back = moveInto(group, members)
  return () => {
    back()
    return null
  }
}

/**
 * v1 takes no memory limit above the one of memory and swap together, and none of both below that of memory:
 * what is raised past the other goes second.
 */
function inOrder(writes: readonly CgroupWrite[]): readonly CgroupWrite[] {
  const both = writes.find(({ path }) => basename(path) === 'memory.memsw.limit_in_bytes')
  const memory = writes.find(({ path }) => basename(path) === 'memory.limit_in_bytes')
  if (!both || !memory || Number(memory.value) <= Number(present(both.path))) return writes
  return [both, ...writes.filter(write => write !== both)]
}

/**
 * cgroup v2 obeys a limit below what is in use by killing (cgroup-v2.rst, memory.max), where v1 refuses with
 * EBUSY. What can be given back is asked for first; if that is not enough, it is refused here as v1 does.
 */
function makeRoom({ path, value }: CgroupWrite): void {
  if (basename(path) !== 'memory.max') return
  const current = (): number => Number(read(join(dirname(path), 'memory.current')))
  const excess = current() - Number(value)
  if (!(excess > 0)) return
  // Linux 5.19; EAGAIN when it could not reclaim as much.
  isPut({ path: join(dirname(path), 'memory.reclaim'), value: String(excess) })
  if (current() > Number(value)) throw Object.assign(new Error('the task uses more'), { code: 'EBUSY' })
}

/**
 * What to write to be back where it was: some files hold a line for each device, and are written one line at
 * a time.
 */
function earlierValue({ path, value }: CgroupWrite, before: string): string {
  const name = basename(path)
  const [device = ''] = value.split(' ')
  const line = before.split('\n').find(entry => entry.startsWith(`${device} `))
  if (name === 'io.max') return line ?? `${device} rbps=max wbps=max riops=max wiops=max`
  if (name.startsWith('blkio.throttle.')) return line ?? `${device} 0`
  return before.split('\n')[0] ?? ''
}

function put({ path, value }: CgroupWrite): void {
  // Never made anew: a file that is not there belongs to a cgroup that is gone.
  writeFileSync(path, `${value}\n`, { flag: 'r+' })
}

function isPut(write: CgroupWrite): boolean {
  try {
    put(write)
    return true
  } catch {
    return false
  }
}

/** Empty of a cgroup that is gone: the first value that is to be written there says so. */
function present(path: string): string {
  try {
    return read(path)
  } catch {
    return ''
  }
}

function read(path: string): string {
  return readFileSync(path, 'utf8').trim()
}

function refused(
  path: string,
  what: string,
  { code, message }: NodeJS.ErrnoException,
  notBack: readonly string[],
): HoldfastError {
  if (code === 'ENOENT' || code === 'ENODEV')
    return new HoldfastError(
      'INVALID_STATE',
      `the limits cannot be changed: ${path} is gone; the task has just ended, or somebody has removed its cgroup`,
      { errno: code, path },
    )
  const rest =
    notBack.length === 0
      ? 'no limit was changed'
      : `changed, and not to be set back, were ${notBack.join(', ')}`
  return new HoldfastError('LIMIT_FAILED', `the kernel does not ${what}: ${code ?? message}; ${rest}`, {
    stage: 'cgroup',
    errno: code,
    path,
    hint: hintFor('update', code),
  })
}
