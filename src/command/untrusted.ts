import type { Command, Resources, Tmpfs } from '../api.ts'

const MiB = 1024 * 1024

/** Not where the task's results lie: a file system in memory of this size. */
const temporary: Required<Tmpfs> = { target: '/tmp', sizeBytes: 256 * MiB }

const limits = { pids: 1024, rlimits: { nofile: 1024, core: 0 } } satisfies Resources

/** Room for a build or a data set; the host gives of it what is used. */
const disk = { diskBytes: 1024 * MiB } satisfies Resources

/** What an executor of such a task is made with. */
export type UntrustedOptions = {
  readonly strict: true
  readonly preferredUser: 'own'
  readonly bounded: true
  readonly preferred: Resources
}

/**
 * What code that nobody vouches for runs under, where the caller does not say otherwise: no network, 1024
 * processes, 1024 open files each, no core dumps, logs of a bounded size, 256 MiB in `/tmp`, and 1 GiB in
 * `/local` and `/alloc` together (`diskBytes`; where that cannot be had both are in memory, and smaller).
 * `pids: Infinity` and `diskBytes: Infinity` take the limit away; `/local` and `/alloc` are in memory then.
 * Goes with `strict`: a task that would get less than this is not started.
 */
export function untrusted(
  command: Readonly<Partial<Command>>,
  resources: Readonly<Resources>,
): {
  readonly command: Partial<Command>
  readonly resources: Resources
  readonly options: UntrustedOptions
} {
  const { pids = limits.pids, diskBytes, ...others } = resources
  const given = command.tmpfs ?? []
  return {
    command: {
      ...command,
      network: command.network ?? 'none',
      tmpfs: [...(given.some(({ target }) => target === temporary.target) ? [] : [temporary]), ...given],
    },
    resources: {
      ...(pids !== Infinity && { pids }),
      ...others,
      ...(diskBytes !== undefined && diskBytes !== Infinity && { diskBytes }),
      rlimits: { ...limits.rlimits, ...resources.rlimits },
    },
    options: {
      strict: true,
      preferredUser: 'own',
      bounded: true,
      preferred: diskBytes === Infinity ? {} : disk,
    },
  }
}
