import { constants } from 'node:os'
import { existsSync } from 'node:fs'
import { errnoName } from '../../errno-name.ts'
import { readText } from '../../if-there.ts'
import type { Probe } from '../../spawn/probe.ts'
import type { Denial } from './kernel-features.ts'

type Asked = { readonly proc?: string; readonly uid?: number; readonly hint?: string }

/**
 * Why this process gets no user namespace here, and the command that would change it: each distribution has a
 * switch of its own. `hint`: what would make one needless.
 */
export function userNamespaceDenial(
  { user, step = '' }: Probe,
  { proc = '/proc', uid, hint = 'run as root (sudo)' }: Asked = {},
): Denial {
  const whom = uid === 0 ? 'root without all of its capabilities' : 'an ordinary user'
  const reason = `this host gives ${whom} no user namespace (${step}: ${errnoName(user)})`
  const setting = (name: string) => readText(`${proc}/sys/${name}`).trim()
  if (!existsSync(`${proc}/self/ns/user`)) return { reason, hint: 'a kernel with CONFIG_USER_NS' }
  if (setting('user/max_user_namespaces') === '0' || user === constants.errno.ENOSPC)
    return { reason, hint: 'sudo sysctl -w user.max_user_namespaces=15000' }
  // Debian's own switch, and that of kernels patched alike.
  if (setting('kernel/unprivileged_userns_clone') === '0')
    return { reason, hint: 'sudo sysctl -w kernel.unprivileged_userns_clone=1' }
  // Ubuntu since 23.10: the namespace can be made, and has no rights in it.
  if (setting('kernel/apparmor_restrict_unprivileged_userns') === '1')
    return { reason, hint: 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0' }
  if (isFiltered(proc))
    return {
      reason,
      hint: `docker run --security-opt seccomp=unconfined, or a container runtime whose filter allows unshare${uid === 0 ? `; or ${hint}` : ''}`,
    }
  return { reason, hint: `${hint}, outside a chroot and outside a container that refuses unshare` }
}

export function refusalOf(errno: number): string {
  return `this host refuses it to this process (${errnoName(errno)})`
}

/** `hint`: what would make a user namespace needless. */
export function namespaceHint(name: string, errno: number, hint: string): string {
  if (errno === constants.errno.ENOSPC) {
    const kind = name === 'root' || name === 'mount' ? 'mnt' : name === 'network' ? 'net' : name
    return `sudo sysctl -w user.max_${kind}_namespaces=15000`
  }
  return hint
}

/** How root comes by capabilities that it was started without. */
export function capabilityHint(missing: readonly string[]): string {
  const unconfined = '--security-opt seccomp=unconfined --security-opt apparmor=unconfined'
  const service = 'or CapabilityBoundingSet= of its service'
  if (missing.length > 3) return `give root its capabilities: docker run --privileged, ${service}`
  const added = missing.map(name => `--cap-add ${name.replace(/^CAP_/, '')}`).join(' ')
  return `give root ${missing.join(', ')}: docker run ${added} ${unconfined}, ${service}`
}

/** A system call filter is on this process: a container's, usually. */
function isFiltered(proc: string): boolean {
  return /^Seccomp:\s*2$/m.test(readText(`${proc}/self/status`))
}
