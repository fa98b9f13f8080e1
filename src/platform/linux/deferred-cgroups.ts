import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readText } from '../../if-there.ts'
import { processesIn } from './cgroup-members.ts'
import { readWords } from './cgroup-mode.ts'

/**
 * A v1 cgroup for a task that runs without one in that hierarchy. `mount` is the hierarchy's, `controllers`
 * what it has.
 */
export type DeferredCgroup = {
  readonly dir: string
  readonly mount: string
  readonly controllers: ReadonlySet<string>
  readonly files: readonly { readonly name: string; readonly value: string }[]
}

/**
 * More than a task takes that does not do it on purpose: each pass takes what was forked during the one
 * before.
 */
const passes = 200

/** Makes it, empty. False when another supervisor of the task is about the same, and it is there. */
export function makeDeferred({ dir }: DeferredCgroup): boolean {
  try {
    mkdirSync(dir, { mode: 0o755 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Moves all processes of a task, those in its cgroup `members`, into one that has been made for it. They go
 * on meanwhile, and fork: who is forked by one that has been moved is in it from birth, and for the others
 * the next pass comes. When all who are listed as the task's now had been moved before the list was made,
 * there is nobody left outside who could fork. Returns the way back. Throws what the kernel says, EAGAIN
 * after too many passes; then they are back where they were.
 */
export function moveInto(deferred: DeferredCgroup, members: string): () => void {
  const origin = originOf(deferred, processesIn(members)[0])
  const back = (): void => moveOut(deferred, origin)
  try {
    for (let pass = 0; pass < passes; pass++) {
      const inside = new Set(processesIn(deferred.dir))
      const outside = processesIn(members).filter(pid => !inside.has(pid))
      if (!outside.map(pid => isMoved(pid, deferred.dir)).includes(true)) return back
    }
    throw Object.assign(new Error('the task forks faster than its processes can be moved'), {
      code: 'EAGAIN',
    })
  } catch (error) {
    back()
    throw error
  }
}

/**
 * Once it is empty. Else somebody is in it still, with a limit that nobody knows of any more, and it goes
 * with the task.
 */
export function removeDeferred({ dir }: DeferredCgroup): void {
  try {
    rmdirSync(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
  }
}

function moveOut({ dir }: DeferredCgroup, origin: string): void {
  for (let pass = 0; pass < passes; pass++) {
    // Not those of an exec session that has limits of its own there.
    const inside = readWords(join(dir, 'cgroup.procs')).map(Number)
    if (inside.length === 0) return
    for (const pid of inside) isMoved(pid, origin)
  }
}

/**
 * Where a task is that has no cgroup of its own: with its spawner. Paths in /proc are as this process sees
 * the hierarchy, as its mount is.
 */
function originOf({ mount, controllers }: DeferredCgroup, pid: number | undefined): string {
  const lines = readText(`/proc/${pid ?? 'self'}/cgroup`).split('\n')
  const line = lines.find(entry =>
    entry
      .split(':')[1]
      ?.split(',')
      .some(name => controllers.has(name)),
  )
  return join(mount, line?.split(':').slice(2).join(':') ?? '/')
}

/** False for one that is gone, or a zombie, which forks no more (ESRCH). */
function isMoved(pid: number, dir: string): boolean {
  try {
    writeFileSync(join(dir, 'cgroup.procs'), String(pid), { flag: 'r+' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
