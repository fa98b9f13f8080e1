import { statfsSync } from 'node:fs'
import type { DiskBound } from '../../platform/port.ts'
import { isOurs, projectOf } from './place.ts'

/**
 * What the kernel says an allocation can hold, in bytes: of a directory of a project it tells the limit of
 * that one (`ext4_statfs_project()`, `xfs_qm_statvfs()`). Null: nothing that bounds it is seen from here.
 */
export function diskInForce(dir: string, root: string): DiskBound | null {
  try {
    const way = projectOf(dir) !== null ? 'project' : isOurs(root, dir) ? 'image' : null
    if (way === null) return null
    const { blocks, bsize } = statfsSync(root)
    return { way, bytes: blocks * bsize }
  } catch {
    return null
  }
}
