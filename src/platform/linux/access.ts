import { nativeHint } from '../../spawn/native-hint.ts'
import { nativeProgram } from '../../spawn/native-program.ts'
import { type Probe, probe } from '../../spawn/probe.ts'
import { readText } from './cgroup-mode.ts'
import { type Denial, type KernelFeatures, kernelFeatures, missingNamespace } from './kernel-features.ts'
import { namespaceHint, refusalOf, userNamespaceDenial } from './namespace-denial.ts'

/**
 * By what right tasks are isolated: `root` does it on the host; an ordinary user does it in a user namespace, in which the spawner and its shims are
 * root; with `none` there is neither, and a task gets what needs no right at all (no_new_privs, seccomp, rlimits, a delegated cgroup).
 */
export type Right = 'root' | 'user-namespace' | 'none'

/** The user of this process; `groups` are the supplementary ones. */
export type Own = { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }

export type Access = {
  readonly right: Right
  readonly self: Own
  /** What of the kernel's isolation can be had by that right. */
  readonly kernel: KernelFeatures
}

export type AccessSources = {
  readonly proc?: string
  readonly self?: Own
  /** Null: the native program cannot be run. */
  readonly tryOut?: (rootless: boolean) => Probe | null
}

let known: { readonly program: string | null; readonly access: Access } | undefined

/** Of this process; looked at once for each native program. */
export function ownAccess(): Access {
  const native = nativeProgram()
  const program = 'path' in native ? native.path : null
  if (known?.program !== program)
    known = {
      program,
      access: findAccess({ tryOut: rootless => (program === null ? null : probe(program, rootless)) }),
    }
  return known.access
}

export function findAccess({
  proc = '/proc',
  self = ownIds(),
  tryOut = () => null,
}: AccessSources = {}): Access {
  const kernel = kernelFeatures(proc)
  if (self.uid === 0 && maySysAdmin(proc)) return { right: 'root', self, kernel }
  const rootless = self.uid !== 0
  const tried = tryOut(rootless)
  const denied = tried === null ? denyAll(unknown()) : denials(tried, kernel, { proc, rootless })
  const namespaces = new Set([...kernel.namespaces].filter(name => !denied.has(name)))
  const right = rootless && tried?.user === 0 ? 'user-namespace' : 'none'
  return { right, self, kernel: { ...kernel, namespaces, denied } }
}

const names = ['user', 'mount', 'pid', 'ipc', 'uts', 'cgroup', 'network', 'root'] as const

function unknown(): Denial {
  return {
    reason: 'the native program could not be run to find out what this user may do',
    hint: nativeHint(),
  }
}

function denials(
  tried: Probe,
  kernel: KernelFeatures,
  { proc, rootless }: { readonly proc: string; readonly rootless: boolean },
): ReadonlyMap<string, Denial> {
  if (tried.user !== 0) return denyAll(userNamespaceDenial(tried, proc))
  const refused = names.flatMap((name): [string, Denial][] => {
    const errno = tried[name] ?? 0
    return errno === 0
      ? []
      : [[name, { reason: refusalOf(errno), hint: namespaceHint(name, errno, rootless) }]]
  })
  const root = rootDenial(tried, kernel, new Map(refused))
  return new Map([...refused, ...(root === null ? [] : [['root', root] as const])])
}

/** A root needs more than a mount namespace. */
function rootDenial(
  tried: Probe,
  kernel: KernelFeatures,
  refused: ReadonlyMap<string, Denial>,
): Denial | null {
  if (refused.has('mount') || !kernel.namespaces.has('mount'))
    return missingNamespace('mount', { ...kernel, denied: refused })
  if (tried.proc !== 0)
    return {
      reason:
        'no /proc can be mounted in it, because parts of the one at hand are covered, as in most containers',
      hint: 'docker run --security-opt systempaths=unconfined, podman run --security-opt unmask=ALL',
    }
  if (tried.mountSetattr !== true)
    return {
      reason: 'without mount_setattr an ordinary user cannot make all of a directory tree read-only',
      hint: 'Linux 5.12 or newer, or run as root (sudo)',
    }
  return refused.get('root') ?? null
}

function denyAll(denial: Denial): ReadonlyMap<string, Denial> {
  return new Map(names.map(name => [name, denial]))
}

/** The effective ids of this process; -1 on a system that has none. */
export function ownIds(): Own {
  const { geteuid, getegid, getgroups } = process
  const gid = getegid?.call(process) ?? -1
  const groups = getgroups?.call(process) ?? []
  return { uid: geteuid?.call(process) ?? -1, gid, groups: groups.filter(group => group !== gid) }
}

/** CAP_SYS_ADMIN is number 21 (capabilities(7)); root in a container usually lacks it. */
function maySysAdmin(proc: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readText(`${proc}/self/status`))?.[1]
  return effective === undefined || ((BigInt(`0x${effective}`) >> 21n) & 1n) === 1n
}
