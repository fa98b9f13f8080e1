import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  rmdirSync,
  statSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../../errors.ts'
import { invalidArgument } from '../../invalid-argument.ts'
import type { TaskPaths } from '../../platform/port.ts'
import { lacking } from '../../powers.ts'
import { type DiskRefusal, growDisk, makeDisk, mountDisk, showDisk, unmountDisk } from '../../spawn/disk.ts'
import { currentBootId } from '../../spawn/process-table.ts'
import { readStart } from '../../spawn/records.ts'
import { directoriesOf, diskImageName, isOtherFileSystem, isOurs } from './place.ts'
import { failpoint } from '../failpoint.ts'
import { nativeForDisk, refuseDisk } from './failure.ts'

/**
 * Makes the allocation, which has nothing in it but its own directories, a file system of `bytes` in a file
 * of the task's record directory. Idempotent. Throws LIMIT_FAILED, stage `disk`.
 */
export async function confineToImage(dir: string, alloc: TaskPaths, bytes: number): Promise<void> {
  const { root } = alloc
  if (isOurs(root, dir)) return
  const image = join(dir, diskImageName)
  const program = nativeForDisk()
  const directories = directoriesOf(alloc).map((path): [string, Stats] => [path, lstatSync(path)])
  refuse(await makeDisk(image, bytes), image)
  failpoint('disk-made')
  refuse(await mountDisk(program, image, root, bytes), image)
  failpoint('disk-mounted')
  // mkfs(8) makes it; what a task is shown has no other directories than it has without.
  rmdirSync(join(root, 'lost+found'))
  for (const [path, { mode, uid, gid }] of directories) {
    if (path !== root) mkdirSync(path, 0o700)
    chownSync(path, uid, gid)
    chmodSync(path, mode & 0o7777)
  }
}

/**
 * Makes it larger while the task runs. Of the same size: nothing changes. Throws INVALID_ARGUMENT for less
 * than it has, UNSUPPORTED where root lacks CAP_SYS_RESOURCE, LIMIT_FAILED, and then it is as it was.
 */
export async function growImage(dir: string, root: string, bytes: number): Promise<void> {
  const image = join(dir, diskImageName)
  const { size } = statSync(image)
  if (bytes < size)
    throw invalidArgument('diskBytes', bytes, `${size} or more: a file system that is used does not shrink`)
  // ext4_resize_begin() of fs/ext4/resize.c.
  if (lacking(['CAP_SYS_RESOURCE'], process.geteuid?.() ?? -1).length > 0)
    throw new HoldfastError('UNSUPPORTED', 'diskBytes: root grows no file system without CAP_SYS_RESOURCE', {
      stage: 'disk',
      hint: 'give root that capability: --cap-add SYS_RESOURCE; of a service, CapabilityBoundingSet=',
    })
  refuse(await growDisk(nativeForDisk(), image, root, bytes), image)
}

/** Takes it away again, if it is there; what lay in it goes with its file. Throws INVALID_STATE. */
export async function releaseAllocation(dir: string, root: string): Promise<void> {
  if (!isOurs(root, dir)) return
  const refusal = await unmountDisk(nativeForDisk(), root)
  if (refusal === null) return
  throw new HoldfastError('INVALID_STATE', `${root} is not unmounted`, { path: root, errno: refusal.errno })
}

/**
 * Shows what an ended task has left after the host was started anew. Nobody else has the file in use then:
 * every mount of that time is gone.
 */
export async function showAllocation(dir: string, root: string): Promise<void> {
  const image = join(dir, diskImageName)
  if (!existsSync(image) || isOtherFileSystem(root)) return
  const start = readStart(dir)
  if (start === null || 'corrupt' in start || start.bootId === currentBootId()) return
  // Where it cannot be shown there are no logs to be seen; all else is as it was.
  await showDisk(nativeForDisk(), image, root).catch(() => null)
}

function refuse(refusal: DiskRefusal | null, path: string): void {
  if (refusal !== null) refuseDisk(refusal, path, 'no file system of that size')
}
