import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { tryProject } from '../../src/spawn/project.ts'
import { removeTemporary, temporaryDirectory } from './temporary.ts'

const MiB = 1024 * 1024

/** Modules of the machines in test/vm, where nothing loads them unasked. */
const modules = ['loop', 'quota_v2']

/**
 * An ext4 with project quotas for the tests of a suite (root only), in which temporary directories, and so
 * state directories, are made from then on. Returns what ends that.
 */
export function mountProjectQuota(): { readonly path: string; readonly unmount: () => void } {
  const outside = temporaryDirectory('projects')
  const [image, path] = [join(outside, 'image'), temporaryDirectory('projects')]
  mountImage(image, path)
  const before = process.env.TMPDIR
  process.env.TMPDIR = path
  return {
    path,
    unmount: () => {
      if (before === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = before
      execFileSync('umount', ['-l', path])
      removeTemporary(path)
      rmSync(image)
      removeTemporary(outside)
    },
  }
}

/** An ext4 with project quotas, in that new file. Throws where this host cannot have one. */
export function mountImage(image: string, path: string): void {
  for (const module of modules) spawnSync('modprobe', [module], { stdio: 'ignore' })
  writeFileSync(image, '')
  truncateSync(image, 256 * MiB)
  const features = ['-O', 'quota,project', '-E', 'quotatype=prjquota,lazy_itable_init=1,nodiscard']
  execFileSync('mkfs.ext4', ['-q', '-F', ...features, image], { stdio: 'pipe' })
  execFileSync('mount', ['-o', 'loop,prjquota', image, path], { stdio: 'pipe' })
  // Tasks of other users pass through.
  execFileSync('chmod', ['0711', path])
}

/** Why no project binds what lies there; null: one does. */
export async function refusalOfProject(path: string): Promise<string | null> {
  const native = nativeProgram()
  if (!('path' in native)) return native.unavailable
  const refused = await tryProject(native.path, path)
  return refused && `${refused.step}: ${refused.errno}`
}

/** Whether this host may have one mounted, and can. */
export const hasProjectQuota = (): boolean =>
  process.env.HOLDFAST_THROWAWAY_HOST === '1' &&
  spawnSync('modprobe', ['quota_v2'], { stdio: 'ignore' }).status === 0
