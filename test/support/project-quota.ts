import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeTemporary, temporaryDirectory } from './temporary.ts'

const MiB = 1024 * 1024

/** Modules of the machines in test/vm, where nothing loads them unasked. */
const modules = ['loop', 'quota_v2']

/**
 * An ext4 with project quotas for the tests of a suite (root only), in which temporary directories, and so
 * state directories, are made from then on. Returns what ends that.
 */
export function mountProjectQuota(): { readonly path: string; readonly unmount: () => void } {
  for (const module of modules) spawnSync('modprobe', [module], { stdio: 'ignore' })
  const outside = temporaryDirectory('projects')
  const [image, path] = [join(outside, 'image'), temporaryDirectory('projects')]
  writeFileSync(image, '')
  truncateSync(image, 256 * MiB)
  const features = ['-O', 'quota,project', '-E', 'quotatype=prjquota,lazy_itable_init=1,nodiscard']
  execFileSync('mkfs.ext4', ['-q', '-F', ...features, image])
  execFileSync('mount', ['-o', 'loop,prjquota', image, path])
  // Tasks of other users pass through.
  execFileSync('chmod', ['0711', path])
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

/** A new directory of the file system whose files can be of projects; null: this host cannot have one. */
export const hasProjectQuota = (): boolean =>
  process.env.HOLDFAST_THROWAWAY_HOST === '1' &&
  spawnSync('modprobe', ['quota_v2'], { stdio: 'ignore' }).status === 0
