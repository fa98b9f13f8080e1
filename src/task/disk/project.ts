import { statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { invalidArgument } from '../../invalid-argument.ts'
import type { TaskPaths } from '../../platform/port.ts'
import { freeProject, giveProject, limitProject } from '../../spawn/project.ts'
import { failpoint } from '../failpoint.ts'
import { nativeForDisk, refuseDisk } from './failure.ts'
import { directoriesOf, projectName, projectOf } from './place.ts'

/**
 * Makes the directories of the allocation, which are new, a project that can store `bytes`; what is made in
 * them is of it too. Its number is one that has neither files nor limits, which the file system alone knows:
 * no two supervisors get the same, whatever they share. Idempotent. Throws LIMIT_FAILED, stage `disk`.
 */
export async function confineToProject(dir: string, alloc: TaskPaths, bytes: number): Promise<void> {
  // Before it is the task's: whoever removes that finds it here.
  const chosen = (number: number): void => {
    writeFileSync(join(dir, projectName), `${number}\n`, { mode: 0o600 })
    failpoint('project-chosen')
  }
  const given = await giveProject(nativeForDisk(), directoriesOf(alloc), bytes, {
    known: projectOf(dir),
    chosen,
  })
  if ('step' in given) refuseDisk(given, alloc.root, 'no project of that size')
  failpoint('project-made')
}

/**
 * Another limit, while the task runs. Throws INVALID_ARGUMENT for less than it has stored, LIMIT_FAILED, and
 * then it is as it was.
 */
export async function changeProject(number: number, root: string, bytes: number): Promise<void> {
  // Of a directory of a project the kernel tells that one's limit and use.
  const { blocks, bfree, bsize } = statfsSync(root)
  const used = (blocks - bfree) * bsize
  if (bytes < used)
    throw invalidArgument('diskBytes', bytes, `${used} or more: that much the task has stored`)
  const refusal = await limitProject(nativeForDisk(), number, bytes, root)
  if (refusal !== null) refuseDisk(refusal, root, 'no project of that size')
}

/**
 * Its directories are gone, so nothing is to be bound any more. What somebody still has open of it keeps the
 * number, which `audit` finds free later. Throws LIMIT_FAILED.
 */
export async function releaseProject(number: number, directory: string): Promise<void> {
  const refusal = await freeProject(nativeForDisk(), number, directory)
  if (refusal !== null && refusal.step !== 'used')
    refuseDisk(refusal, directory, `the limit of project ${number} is not taken away`)
}
