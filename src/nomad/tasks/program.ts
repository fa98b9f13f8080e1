import { closeSync, constants, fchmodSync, fstatSync } from 'node:fs'
import { join, posix } from 'node:path'
import { openTrusted } from '../../index.ts'
import type { TaskConfig } from '../wire/task-messages.ts'

const readAndExecute = 0o555
const permissions = 0o777

/**
 * Where a job's program is, as the task sees it, found as Nomad's `exec` driver finds it: in `local/`, then
 * in the task's directory, where artifacts lie. A file there is made executable. What is in neither is left
 * as it is, for the lookup on the task's PATH. Throws what the file system does.
 */
export function programOf(
  { alloc_dir, name }: Pick<TaskConfig, 'alloc_dir' | 'name'>,
  command: string,
): string {
  const taskDir = join(alloc_dir, name)
  // A `..` leads to the task's root at most.
  const places = [posix.join('/local', command), posix.join('/', command)]
  return places.find(place => makeExecutable(join(taskDir, place))) ?? command
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
