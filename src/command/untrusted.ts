import type { Command, Resources, Tmpfs } from '../api.ts'

const MiB = 1024 * 1024

/** Where a task can write unless mounts give it more: each becomes a file system in memory of this size. */
const writable: readonly Required<Tmpfs>[] = [
  { target: '/tmp', sizeBytes: 256 * MiB },
  { target: '/local', sizeBytes: 256 * MiB },
  { target: '/alloc/data', sizeBytes: 64 * MiB },
  { target: '/alloc/tmp', sizeBytes: 64 * MiB },
]

const limits = { pids: 1024, rlimits: { nofile: 1024, core: 0 } } satisfies Resources

/**
 * What code that nobody vouches for runs under, where the caller does not say otherwise: no network, 1024
 * processes, 1024 open files each, no core dumps, logs of a bounded size, and directories that are file
 * systems in memory of a bounded size, so that what it writes there is gone with it. Goes with `strict`: a
 * task that would get less than this is not started.
 */
export function untrusted(
  command: Readonly<Partial<Command>>,
  resources: Readonly<Resources>,
): { readonly command: Partial<Command>; readonly resources: Resources } {
  const taken = new Set((command.tmpfs ?? []).map(({ target }) => target))
  return {
    command: {
      ...command,
      network: command.network ?? 'none',
      tmpfs: [...writable.filter(({ target }) => !taken.has(target)), ...(command.tmpfs ?? [])],
    },
    resources: { ...limits, ...resources, rlimits: { ...limits.rlimits, ...resources.rlimits } },
  }
}
