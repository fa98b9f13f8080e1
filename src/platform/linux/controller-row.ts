import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { HostRow } from '../host-row.ts'
import { type CgroupHost, readText, readWords } from './cgroup-mode.ts'
import { controllerHint, delegationHint } from './cgroups.ts'

type Where = { readonly proc: string; readonly root: string; readonly uid: number | undefined }

/** Whether this user can limit by a controller. `io` is called blkio on v1. */
export function controllerRow(cgroups: CgroupHost, name: string, where: Where): HostRow {
  const row = { name: `cgroup.${name}` }
  const place = placeOf(cgroups, name)
  const controller = cgroups.mode === 'v2' || name !== 'io' ? name : 'blkio'
  if (place === null) {
    const why =
      cgroups.unusable.get(controller) ??
      cgroups.unusable.get(name) ??
      `no hierarchy has the ${controller} controller`
    return { ...row, status: 'no', why, hint: controllerHint(cgroups, controller) }
  }
  if (where.uid === 0 || where.uid === undefined)
    return { ...row, status: 'yes', why: place.text, hint: null }
  const own = place.isV1 ? null : delegatedTo(cgroups, where)
  if (own === null) {
    const why = `${place.text}, and nothing of it is delegated to this user`
    return { ...row, status: 'no', why, hint: delegationHint(cgroups, where.root) }
  }
  if (readWords(join(own, 'cgroup.controllers')).includes(name))
    return { ...row, status: 'yes', why: `delegated to this user at ${own}`, hint: null }
  return { ...row, status: 'no', why: `it is not delegated to ${own}`, hint: undelegatedHint(name) }
}

function placeOf(
  { v1, v2 }: CgroupHost,
  name: string,
): { readonly text: string; readonly isV1: boolean } | null {
  const v1Name = name === 'io' ? 'blkio' : name
  const mount = v1.get(v1Name)
  if (mount !== undefined) return { text: `${v1Name} at ${mount}`, isV1: true }
  return v2?.controllers.has(name) ? { text: `in cgroup2 at ${v2.mount}`, isV1: false } : null
}

/** A cgroup in which this user may make others: that of its own service manager, or the one this process is in. */
function delegatedTo({ v2 }: CgroupHost, { proc, root, uid }: Where): string | null {
  if (v2 === null) return null
  const line = readText(`${proc}/self/cgroup`)
    .split('\n')
    .find(entry => entry.startsWith('0::'))
  const own = line?.slice(3)
  const managed = existsSync(`${root}/run/user/${uid}/systemd/private`)
    ? [`/user.slice/user-${uid}.slice/user@${uid}.service`]
    : []
  const places = [...managed, ...(own === undefined ? [] : [own])].map(path => join(v2.mount, path))
  return places.find(isWritable) ?? null
}

function isWritable(cgroup: string): boolean {
  try {
    for (const name of ['.', 'cgroup.procs', 'cgroup.subtree_control'])
      accessSync(join(cgroup, name), constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** By default systemd delegates memory and pids to users, and not the rest. */
function undelegatedHint(controller: string): string {
  return `printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo systemctl edit --stdin user@.service   # for ${controller}; then log in anew`
}
