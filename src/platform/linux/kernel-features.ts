import { existsSync } from 'node:fs'
import type { Namespace } from '../../api.ts'

/** Why something that the kernel has cannot be had by this process, and what would change that. */
export type Denial = { readonly reason: string; readonly hint: string | null }

export type KernelFeatures = {
  /** Those that a task can have. */
  readonly namespaces: ReadonlySet<string>
  readonly seccomp: boolean
  /** The version of Landlock; 0 or absent: there is none, or one too old. */
  readonly landlock?: number
  /**
   * What the kernel has and yet refuses to this process: namespaces by their names, and `root` for a root of
   * the task's own.
   */
  readonly denied?: ReadonlyMap<string, Denial>
}

/** What they are called in /proc/PID/ns. */
export const namespaceLinks = {
  mount: 'mnt',
  pid: 'pid',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
  network: 'net',
} as const satisfies Readonly<Record<Exclude<Namespace, 'user'>, string>>

const configNames: Readonly<Record<string, string>> = {
  mount: 'NAMESPACES',
  network: 'NET_NS',
  cgroup: 'CGROUPS',
}

export function kernelFeatures(proc = '/proc'): KernelFeatures {
  const present = Object.entries(namespaceLinks).filter(([, file]) => existsSync(`${proc}/self/ns/${file}`))
  return {
    namespaces: new Set(present.map(([name]) => name)),
    seccomp: existsSync(`${proc}/sys/kernel/seccomp/actions_avail`),
  }
}

/** Why there is none of these namespaces. */
export function missingNamespace(name: string, { denied }: KernelFeatures): Denial {
  return (
    denied?.get(name) ?? {
      reason: `this kernel has no ${name} namespaces`,
      hint: `a kernel with ${configOf(name)}`,
    }
  )
}

/** The kernel's build option for a namespace. */
function configOf(namespace: string): string {
  return `CONFIG_${configNames[namespace] ?? `${namespace.toUpperCase()}_NS`}`
}
