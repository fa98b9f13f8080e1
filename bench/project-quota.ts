import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { mountImage, refusalOfProject } from '../test/support/project-quota.ts'

export type Mounted = { readonly path: string; readonly unmount: () => void }

/**
 * A file system with project quotas, in a file below `stateRoot`. Null, and said on stderr, where this host
 * cannot have one: its kernel needs ext4, loop devices and quota_v2.
 */
export async function mountProjectQuota(stateRoot: string): Promise<Mounted | null> {
  const outside = mkdtempSync(join(stateRoot, 'holdfast-bench-projects-'))
  const path = join(outside, 'projects')
  const remove = (): void => rmSync(outside, { recursive: true, force: true })
  try {
    mkdirSync(path)
    mountImage(join(outside, 'image'), path)
  } catch (error) {
    remove()
    return leftOut(error instanceof Error ? error.message : String(error))
  }
  const unmount = (): void => {
    execFileSync('umount', ['-l', path])
    remove()
  }
  const refusal = await refusalOfProject(path)
  if (refusal === null) return { path, unmount }
  unmount()
  return leftOut(refusal)
}

function leftOut(why: string): null {
  process.stderr.write(`SKIPPED walls: the rows of a project quota (${why.trim().replaceAll('\n', '; ')})\n`)
  return null
}
