import { lstatSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sharedParts } from '../../alloc/layout.ts'
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

/** The project that a task's allocation is, by its record directory; null: none. */
export function projectOf(dir: string): number | null {
  try {
    const number = Number(readFileSync(join(dir, projectName), 'latin1'))
    return Number.isInteger(number) && number > 0 ? number : null
  } catch {
    // Of nearly all tasks: they have none.
    return null
  }
}
