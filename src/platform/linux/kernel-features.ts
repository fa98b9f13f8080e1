import { existsSync } from 'node:fs'
import type { Namespace } from '../../api.ts'

export type KernelFeatures = { readonly namespaces: ReadonlySet<string>; readonly seccomp: boolean }

/** Names in /proc/self/ns. */
const procNames: Readonly<Record<Exclude<Namespace, 'user'>, string>> = {
  mount: 'mnt',
  pid: 'pid',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
  network: 'net',
}

const configNames: Readonly<Record<string, string>> = {
  mount: 'NAMESPACES',
  network: 'NET_NS',
  cgroup: 'CGROUPS',
}

export function kernelFeatures(proc = '/proc'): KernelFeatures {
  const present = Object.entries(procNames).filter(([, file]) => existsSync(`${proc}/self/ns/${file}`))
  return {
    namespaces: new Set(present.map(([name]) => name)),
    seccomp: existsSync(`${proc}/sys/kernel/seccomp/actions_avail`),
  }
}

/** The kernel's build option for a namespace. */
export function configOf(namespace: string): string {
  return `CONFIG_${configNames[namespace] ?? `${namespace.toUpperCase()}_NS`}`
}
