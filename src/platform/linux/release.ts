import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isOwnCgroup } from './own-cgroup.ts'

const attempts = 20
const pauseMs = 10

/**
 * Removes cgroups that are empty. A process that is being reaped keeps its cgroup busy for a moment, so EBUSY
 * is tried again for 0.2 s. Never throws for what is gone or still in use; paths that are not
 * `.../holdfast/<key>`, or lead to no cgroup, are left alone.
 */
export async function releaseCgroups(
  cgroups: readonly string[],
  isOwn: (dir: string) => boolean = isOwnCgroup,
): Promise<void> {
  // Gone, as a rule: the shim has removed them. An error that says so costs ten times what the question does.
  for (const dir of cgroups.filter(dir => existsSync(dir) && isOwn(dir))) {
    for (let attempt = 0; attempt < attempts && !removed(dir); attempt++) await sleep(pauseMs)
  }
}

function removed(dir: string): boolean {
  try {
    rmdirSync(dir)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return true
    removeChildren(dir)
    return false
  }
}

/** A task that was given the cgroup file system may have made groups of its own. */
function removeChildren(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) removed(join(dir, entry.name))
}
