import { lstatSync } from 'node:fs'
import { dirname } from 'node:path'

/** The file in a task's record directory that its allocation is the file system of (`diskBytes`). */
export const diskImageName = 'disk.img'

/** Whether another file system is mounted there: a bind mount of the same one is not seen. */
export function isOtherFileSystem(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats !== undefined && stats.dev !== lstatSync(dirname(path)).dev
}
