import { closeSync, constants, existsSync, fchmodSync, fstatSync } from 'node:fs'
import { join, posix } from 'node:path'
import { defaultPath } from '../../default-path.ts'
import { openTrusted } from '../../index.ts'
import type { TaskConfig } from '../wire/task-messages.ts'

const readAndExecute = 0o555
const permissions = 0o777

type Task = Pick<TaskConfig, 'alloc_dir' | 'name'> & Partial<Pick<TaskConfig, 'env'>>

/**
 * Where a job's program is, as the task sees it, found as Nomad's `exec` driver finds it: in `local/`, then
 * in the task's directory, where artifacts lie, then on its PATH, where artifacts lie among the node's files.
 * A file of the task's is made executable. What is in none of them is left as it is, for the lookup on the
 * task's PATH. Throws what the file system does.
 */
export function programOf({ alloc_dir, name, env }: Task, command: string): string {
  const taskDir = join(alloc_dir, name)
  // A `..` leads to the task's root at most.
  const places = [posix.join('/local', command), posix.join('/', command)]
  const isThere = (place: string) => makeExecutable(join(taskDir, place))
  return places.find(isThere) ?? onPath(command, env?.PATH ?? defaultPath, isThere) ?? command
}

/** Undefined: the node has it earlier, or neither has it. */
function onPath(command: string, path: string, isThere: (place: string) => boolean): string | undefined {
  if (command.includes('/')) return undefined
  for (const folder of path.split(':').filter(one => one.startsWith('/'))) {
    const place = join(folder, command)
    if (isThere(place)) return place
    if (existsSync(place)) return undefined
  }
  return undefined
}

/**
 * Whether something is there. A link is, and is left for the task to follow in its own root: an earlier run
 * of the task can have made it, to have a file of the node made executable.
 */
function makeExecutable(path: string): boolean {
  let fd: number
  try {
    fd = openTrusted(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code, errno } = error as { code?: string; errno?: unknown }
    if (code === 'ELOOP' || errno === 'ELOOP') return true
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw error
  }
  try {
    const found = fstatSync(fd)
    if (!found.isFile()) return false
    if ((found.mode & readAndExecute) !== readAndExecute)
      fchmodSync(fd, (found.mode & permissions) | readAndExecute)
    return true
  } finally {
    closeSync(fd)
  }
}
