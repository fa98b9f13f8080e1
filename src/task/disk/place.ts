import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { sharedParts } from '../../alloc/layout.ts'
import { deviceNumber } from '../../device-numbers.ts'
import { textIfReadable } from '../../if-there.ts'
import type { TaskPaths } from '../../platform/port.ts'

/** The file in a task's record directory that its allocation is the file system of (`diskBytes`). */
export const diskImageName = 'disk.img'

/** The file there that has the number of the project that its allocation is (`diskBytes`). */
export const projectName = 'project'

/** The directories of an allocation, each after what it lies in. */
export function directoriesOf({ root, shared, task, local }: TaskPaths): string[] {
  return [root, shared, ...sharedParts.map(part => join(shared, part)), task, local]
}

/** Whether another file system is mounted there: a bind mount of the same one is not seen. */
export function isOtherFileSystem(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats !== undefined && stats.dev !== lstatSync(dirname(path)).dev
}

/** Whether what is mounted on an allocation is the file of that record directory, which may be gone. */
export function isOurs(root: string, dir: string): boolean {
  if (!isOtherFileSystem(root)) return false
  try {
    const device = deviceNumber(lstatSync(root).dev)
    const file = readFileSync(`/sys/dev/block/${device}/loop/backing_file`, 'utf8')
    const tasks = realpathSync(dirname(dir))
    return file.trim().replace(/ \(deleted\)$/, '') === join(tasks, basename(dir), diskImageName)
  } catch {
    // Of no loop device: somebody else's.
    return false
  }
}

/** The project that a task's allocation is, by its record directory; null: none. */
export function projectOf(dir: string): number | null {
  const path = `${dir}/${projectName}`
  // Of nearly all tasks: they have none, and an error that says so costs ten times what the question does.
  if (!existsSync(path)) return null
  const number = Number(textIfReadable(path, 'latin1'))
  return Number.isInteger(number) && number > 0 ? number : null
}
