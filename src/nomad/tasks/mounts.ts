import { realpathSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { HoldfastError, type Mount, type Tmpfs } from '../../index.ts'
import { invalidArgument } from '../../invalid-argument.ts'
import type { TaskOptions } from '../config/task-config.ts'
import type { TaskConfig } from '../wire/task-messages.ts'

const mebibyte = 1024 * 1024

/**
 * What Nomad lays out for a task besides `local/`, which the library knows: `secrets/`, a file system in
 * memory, and `tmp/`, on the allocation's disk, unless the job has one in memory there. `private/` is the
 * client's own and stays hidden, beneath something empty.
 */
export function nomadDirectories(
  { alloc_dir, name }: TaskConfig,
  jobs: readonly Tmpfs[],
): { mounts: Mount[]; tmpfs: Tmpfs[] } {
  const at = (part: string) => join(alloc_dir, name, part)
  const inMemory = jobs.some(({ target }) => posix.resolve(target) === '/tmp')
  return {
    mounts: [
      { source: at('secrets'), target: '/secrets' },
      ...(inMemory ? [] : [{ source: at('tmp'), target: '/tmp' }]),
    ],
    tmpfs: [{ target: '/private', sizeBytes: 4096 }],
  }
}

/**
 * Volumes and what device plugins add: the client has decided that the task may have them. Throws UNSUPPORTED
 * for mounts that are to travel between the task and the node.
 */
export function volumeMounts({ mounts }: Pick<TaskConfig, 'mounts'>): Mount[] {
  return mounts.map(
    ({ host_path: source, task_path: target, readonly: readOnly, propagation_mode: mode }) => {
      if (mode === '' || mode === 'private') return { source, target, readOnly }
      throw new HoldfastError(
        'UNSUPPORTED',
        `volume_mount of ${target}: propagation_mode "${mode}" is not supported, a task's mounts are its own`,
        { hint: 'Leave propagation_mode out, or make it "private".' },
      )
    },
  )
}

/**
 * Device nodes appear under their own names: what a task sees elsewhere than the host is no node of its own
 * /dev. They are to be read and to be written, as far as the node's own mode allows the task's user; nothing
 * here could forbid one of the two.
 */
export function deviceNodes({ devices }: TaskConfig): string[] {
  return devices.map(({ host_path: host, task_path: task, cgroup_permissions: permissions }) => {
    if (task !== '' && task !== host)
      throw new HoldfastError(
        'UNSUPPORTED',
        `devices: ${host} is to appear as ${task}, which is not supported`,
        {
          hint: 'Have the device plugin use the same path for both.',
        },
      )
    if (permissions !== '' && !(permissions.includes('r') && permissions.includes('w')))
      throw new HoldfastError(
        'UNSUPPORTED',
        `devices: ${host} is to be had with "${permissions}" only, which cannot be enforced`,
        { hint: 'Have the device plugin ask for "rw", and let the mode of the node say who may.' },
      )
    return host
  })
}

/**
 * What lies inside another mount comes after it, in whatever order a job has them: else it would be hidden.
 */
export function parentsFirst(mounts: readonly Mount[]): Mount[] {
  const depth = ({ target }: Mount) => target.split('/').filter(part => part !== '').length
  return mounts.toSorted((one, other) => depth(one) - depth(other))
}

/**
 * A job's own mounts, as far as the agent's configuration lets jobs have them. Links are followed before that
 * is asked.
 */
export function jobMounts({ mount, tmpfs }: TaskOptions, allowed: readonly string[]) {
  return {
    mounts: mount.map(({ source, target, read_only }, index): Mount => {
      const at = `config.mount[${index}].source`
      const real = realPath(source, at)
      checkLent(real, allowed, at)
      return { source: real, target, readOnly: read_only }
    }),
    tmpfs: tmpfs.map(({ target, size_mb }): Tmpfs => {
      return size_mb === null ? { target } : { target, sizeBytes: size_mb * mebibyte }
    }),
  }
}

/** Throws PERMISSION for a path of the node that it does not lend to jobs. */
export function checkLent(path: string, allowed: readonly string[], at: string): void {
  if (allowed.some(prefix => isBeneath(path, prefix))) return
  throw new HoldfastError('PERMISSION', `${at}: this node's allow_mounts does not include ${path}`, {
    hint: "allow_mounts in the agent's plugin configuration lists what jobs may mount",
  })
}

function realPath(path: string, at: string): string {
  try {
    return realpathSync(path)
  } catch {
    throw invalidArgument(at, path, 'a file or directory of the node')
  }
}

function isBeneath(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep)
}
