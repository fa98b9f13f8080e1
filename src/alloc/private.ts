import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmdirSync,
} from 'node:fs'
import { basename, dirname, sep } from 'node:path'
import { unlinkIfThere } from '../if-there.ts'
import { onceIn } from '../once-in.ts'
import type { TaskPaths } from '../platform/port.ts'
import { modeOfPart, modes, sharedName, sharedParts } from './layout.ts'
import { mountPoints } from './mounts.ts'
import { assertTaskName } from './task-name.ts'

/**
 * The allocation of a single task in a directory that must not exist yet: what AllocDir.build makes, without
 * its some thirty trips to Node's file threads. A trip costs this thread more than the call itself, and a
 * start waits for all of them.
 *
 * Nothing has to be held open against planted links here: nobody but us may write in the new directory, and a
 * directory that everybody may write in is opened to them last, when all that belongs into it is there.
 *
 * Throws as mkdir does (EEXIST: the directory is there already), and INVALID_ARGUMENT for a name no task can
 * have.
 */
export function makePrivateAllocation(path: string, taskName: string): TaskPaths {
  assertTaskName(taskName)
  const shared = `${path}${sep}${sharedName}`
  const task = `${path}${sep}${taskName}`
  const local = `${task}${sep}local`
  mkdirSync(path, modes.root)
  mkdirSync(shared, 0o700)
  for (const part of sharedParts) make(`${shared}${sep}${part}`, modeOfPart(part))
  chmodSync(shared, modes.open)
  make(task, modes.task)
  make(local, modes.open)
  return { root: path, shared, task, local }
}

function make(path: string, mode: number): void {
  mkdirSync(path, 0o700)
  // Not by mkdir's argument: the umask would take bits away.
  chmodSync(path, mode)
}

/**
 * Removes such an allocation when its task has left nothing in it but logs, as most do. False: there is more,
 * and AllocDir.destroy, which is prepared for anything, has to go on. Nothing is lost then but empty
 * directories and the logs.
 */
export function removePrivateAllocation(path: string, taskName: string): boolean {
  if (process.platform !== 'linux') return false
  try {
    if (hasMounts(path)) return false
    removeLogs(`${path}/${sharedName}/logs`, taskName)
    for (const part of sharedParts) rmdirSync(`${path}/${sharedName}/${part}`)
    for (const name of [sharedName, `${taskName}/local`, taskName]) rmdirSync(`${path}/${name}`)
    rmdirSync(path)
    return true
  } catch {
    return false
  }
}

/**
 * Whoever mounts something below a task that is being removed comes as late with a table that is so old as
 * with one of this instant.
 */
const tableMs = 50

/** A host may have hundreds, and the kernel writes the table anew for each reader. */
const pointsBelow = onceIn(tableMs, parent => {
  const real = realpathSync(parent)
  const points = mountPoints(readFileSync('/proc/self/mountinfo', 'utf8'))
  return points.filter(point => point.startsWith(`${real}/`)).map(point => point.slice(real.length + 1))
})

/** `path` itself is no link: we have made it, and nobody else may write beside it. */
function hasMounts(path: string): boolean {
  const name = basename(path)
  return pointsBelow(dirname(path)).some(point => point === name || point.startsWith(`${name}/`))
}

/** Through a descriptor: a task that owns the directory of the logs may have put a link in its place. */
function removeLogs(logs: string, taskName: string): void {
  const fd = openSync(logs, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    for (const stream of ['stdout', 'stderr']) unlinkIfThere(`/proc/self/fd/${fd}/${taskName}.${stream}`)
  } finally {
    closeSync(fd)
  }
}
