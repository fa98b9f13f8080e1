import { nativeHint } from '../../spawn/native-hint.ts'
import { nativeProgram } from '../../spawn/native-program.ts'
import { nativeFeatures, type Probe, probe } from '../../spawn/probe.ts'
import { type IdMaps, idMaps } from '../../id-maps.ts'
import { lacking, toBecomeAnybody, toIsolate } from '../../powers.ts'
import { isHostsOwn, moreNumbers, nobodyElse } from '../unmapped.ts'
import { type Denial, type KernelFeatures, kernelFeatures, missingNamespace } from './kernel-features.ts'
import { capabilityHint, namespaceHint, refusalOf, userNamespaceDenial } from './namespace-denial.ts'

/**
 * By what right tasks are isolated: `root` does it on the host, where it has the capabilities for it; anybody
 * else (an ordinary user, a root that was left without, and the root of a user namespace) does it in a user
 * namespace, in which the spawner and its shims have them; with `none` there is neither, and a task gets what
 * needs no right at all (no_new_privs, seccomp, rlimits, a delegated cgroup).
 */
export type Right = 'root' | 'user-namespace' | 'none'

/** The user of this process; `groups` are the supplementary ones. */
export type Own = { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }

export type Access = {
  readonly right: Right
  readonly self: Own
  /** Null: tasks can be given to any user of this host; else why they run as the user of this process. */
  readonly ownUserOnly: Denial | null
  /** Who has a number here: nobody else can be a task's user. */
  readonly maps: IdMaps
  /** Whether a task can be kept from gaining capabilities by exec, whatever else it may (CAP_SETPCAP). */
  readonly limitsCapabilities: boolean
  /** What of the kernel's isolation can be had by that right. */
  readonly kernel: KernelFeatures
}

export type AccessSources = {
  readonly proc?: string
  readonly self?: Own
  /** Null: the native program cannot be run. */
  readonly tryOut?: () => Probe | null
  /** The kernel's version of Landlock, as the native program says it. */
  readonly landlock?: number
}

let known:
  { readonly named: string | undefined; readonly program: string | null; readonly access: Access } | undefined

/**
 * Of this process; looked at once for each native program, and for root once for each that is named: its
 * right does not depend on one.
 */
export function ownAccess(): Access {
  const named = process.env.HOLDFAST_NATIVE
  if (known?.access.right === 'root' && known.named === named) return known.access
  const native = nativeProgram()
  const program = 'path' in native ? native.path : null
  if (known?.program !== program)
    known = {
      named,
      program,
      access: findAccess({
        tryOut: () => (program === null ? null : probe(program)),
        landlock: program === null ? 0 : (nativeFeatures(program)?.landlock ?? 0),
      }),
    }
  return known.access
}

export function findAccess({
  proc = '/proc',
  self = ownIds(),
  tryOut = () => null,
  landlock = 0,
}: AccessSources = {}): Access {
  const kernel = { ...kernelFeatures(proc), landlock }
  const missing = self.uid === 0 ? lacking(toIsolate, 0, proc) : [...toIsolate]
  const maps = idMaps(proc)
  if (missing.length === 0 && isHostsOwn(maps))
    return { right: 'root', self, kernel, ownUserOnly: null, maps, limitsCapabilities: true }
  const hint = powerHint(self, proc)
  const powerless = lacking(toBecomeAnybody, self.uid, proc)
  const tried = tryOut()
  const denied =
    tried === null
      ? denyAll(unknown())
      : denials(tried, kernel, { proc, self, hint, becomes: powerless.length === 0 })
  const namespaces = new Set([...kernel.namespaces].filter(name => !denied.has(name)))
  const inside = tried?.user === 0 && !denied.has('user')
  return {
    right: inside ? 'user-namespace' : 'none',
    self,
    ownUserOnly:
      powerless.length === 0 && nobodyElse(maps) === null && (!inside || tried.ids === 'all')
        ? null
        : ownUserDenial(self, { powerless, maps }),
    maps,
    limitsCapabilities: inside || lacking(['CAP_SETPCAP'], self.uid, proc).length === 0,
    kernel: { ...kernel, namespaces, denied },
  }
}

/** What would give this process the power to isolate tasks on the host. */
export function powerHint({ uid }: Own, proc = '/proc'): string {
  if (uid !== 0) return 'run as root (sudo)'
  const missing = lacking(toIsolate, 0, proc)
  return missing.length === 0 ? "run as the host's root" : capabilityHint(missing)
}

/** `powerless`: the capabilities that it has not of those that it takes to become another. */
function ownUserDenial(
  { uid }: Own,
  { powerless, maps }: { readonly powerless: readonly string[]; readonly maps: IdMaps },
): Denial {
  if (uid !== 0) return { reason: 'an ordinary user cannot become another', hint: 'run as root (sudo)' }
  const nobody = nobodyElse(maps)
  if (nobody !== null) return nobody
  if (powerless.length === 0)
    return {
      reason: 'the user namespace of this root has no other user in it',
      hint: isHostsOwn(maps) ? capabilityHint(['CAP_SETFCAP']) : moreNumbers,
    }
  return {
    reason: `root cannot become another user without ${powerless.join(', ')}`,
    hint: capabilityHint(powerless),
  }
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
  {
    proc,
    self,
    hint,
    becomes,
  }: { readonly proc: string; readonly self: Own; readonly hint: string; readonly becomes: boolean },
): ReadonlyMap<string, Denial> {
  if (tried.user !== 0) return denyAll(userNamespaceDenial(tried, { proc, uid: self.uid, hint }))
  // To be another user outside is worth more than to be root in namespaces where nobody else can be had.
  if (tried.ids === 'none' && becomes) return denyAll(unmapped())
  const refused = names.flatMap((name): [string, Denial][] => {
    const errno = tried[name] ?? 0
    return errno === 0 ? [] : [[name, { reason: refusalOf(errno), hint: namespaceHint(name, errno, hint) }]]
  })
  const root = rootDenial(tried, kernel, { refused: new Map(refused), hint })
  return new Map([...refused, ...(root === null ? [] : [['root', root] as const])])
}

/** A root needs more than a mount namespace. */
function rootDenial(
  tried: Probe,
  kernel: KernelFeatures,
  { refused, hint }: { readonly refused: ReadonlyMap<string, Denial>; readonly hint: string },
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
      hint: `Linux 5.12 or newer, or ${hint}`,
    }
  return tried.ids === 'none' ? unmapped() : (refused.get('root') ?? null)
}

/**
 * Root's number is given away by those only who may write file capabilities, since Linux 5.12:
 * user_namespaces(7).
 */
function unmapped(): Denial {
  return {
    reason:
      'user 0 has no number in a user namespace without CAP_SETFCAP, and can fill no file system of its own',
    hint: `${capabilityHint(['CAP_SETFCAP'])}; or run as an ordinary user`,
  }
}

function denyAll(denial: Denial): ReadonlyMap<string, Denial> {
  return new Map(names.map(name => [name, denial]))
}

/** The effective ids of this process; -1 on a system that has none. */
function ownIds(): Own {
  const { geteuid, getegid, getgroups } = process
  const gid = getegid?.call(process) ?? -1
  const groups = getgroups?.call(process) ?? []
  return { uid: geteuid?.call(process) ?? -1, gid, groups: groups.filter(group => group !== gid) }
}
