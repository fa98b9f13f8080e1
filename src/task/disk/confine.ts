import { HoldfastError } from '../../errors.ts'
import type { DiskBound, TaskPaths } from '../../platform/port.ts'
import { confineToImage, growImage } from './image.ts'
import { isOurs, projectOf } from './place.ts'
import { changeProject, confineToProject } from './project.ts'

/**
 * Bounds the allocation, which has nothing in it but its own directories. Idempotent. Throws LIMIT_FAILED,
 * stage `disk`.
 */
export function confineAllocation(dir: string, alloc: TaskPaths, { way, bytes }: DiskBound): Promise<void> {
  return way === 'project' ? confineToProject(dir, alloc, bytes) : confineToImage(dir, alloc, bytes)
}

/**
 * Gives it another bound while the task runs. Of the same size: nothing changes. Rejects INVALID_ARGUMENT for
 * less than it has stored, or, of a file system of its own, for less than it has; UNSUPPORTED where nothing
 * bounds it, or root lacks CAP_SYS_RESOURCE to make a file system larger; LIMIT_FAILED, and then it is as it
 * was.
 */
export async function changeAllocation(dir: string, root: string, bytes: number): Promise<void> {
  const project = projectOf(dir)
  if (project !== null) return changeProject(project, root, bytes)
  if (isOurs(root, dir)) return growImage(dir, root, bytes)
  throw new HoldfastError('UNSUPPORTED', 'diskBytes: nothing bounds what the task stores', {
    stage: 'disk',
    hint: 'it takes one that was started with diskBytes, and with a row `diskBytes` that is enforced',
  })
}
