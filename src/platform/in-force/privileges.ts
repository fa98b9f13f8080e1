import type { AskedOfKernel, KernelFacts } from '../../../machines/index.ts'
import { capabilityNames } from '../../command/capabilities.ts'
import { type Finding, judged, unread } from './finding.ts'

/** The process, the shim that has started it, and what the shim was told. */
export type Compared = {
  readonly asked: AskedOfKernel
  readonly task: KernelFacts
  readonly shim: KernelFacts
  /** The user namespace that the process was put into; null: nobody may know. */
  readonly userNamespace: string | null
}

/**
 * Whoever is root may become anybody, and is then less. Anybody else who is not who was asked for has become
 * it by a program with its owner's rights, or a capability.
 */
export function userInForce({ asked, task, shim }: Compared): Finding {
  const own = { uid: first(shim.status.Uid), gid: first(shim.status.Gid) }
  const { uid, gid } = asked.credentials ?? own
  const [uids, gids] = [numbers(task.status.Uid), numbers(task.status.Gid)]
  const isSo =
    uid === 0 || (same(uids, [uid]) && (gid === 0 || same(gids, [gid, ...groupsAsked(asked, shim)])))
  return judged(isSo, `${range(uids)}:${range(gids)}`)
}

export function groupsInForce({ asked, task, shim }: Compared): Finding {
  const groups = numbers(task.status.Groups)
  const gid = asked.credentials?.gid ?? first(shim.status.Gid)
  const isSo = same(groups, [gid, ...groupsAsked(asked, shim)])
  return judged(isSo, groups.length === 0 ? 'none' : groups.join(', '))
}

/**
 * A process that has made a user namespace of its own has capabilities over that, and over nothing else. What
 * the bounding set allows counts where the shim could bound it: elsewhere nothing is gained by exec.
 */
export function capabilitiesInForce({ asked, task, shim, userNamespace }: Compared): Finding {
  if (asked.capabilities === null)
    return { verdict: 'unverifiable', inForce: namesOf(bits(task.status.CapEff)) }
  const kept = asked.capabilities.reduce((sum, number) => sum | (1n << BigInt(number)), 0n)
  const { CapInh, CapPrm, CapEff, CapBnd, CapAmb = '0' } = task.status
  const isBounded = (bits(shim.status.CapEff) & (1n << BigInt(setpcap))) !== 0n
  const has = [CapInh, CapPrm, CapEff, CapAmb, ...(isBounded ? [CapBnd] : [])]
    .map(bits)
    .reduce((a, b) => a | b)
  const words = namesOf(has)
  if ((has & ~kept) === 0n) return judged(true, words)
  if (userNamespace === null || (task.namespaces.user ?? null) === null)
    return unread(`${words}, and whoever asks may not read over which user namespace`)
  return task.namespaces.user === userNamespace
    ? judged(false, words)
    : judged(true, 'only over a user namespace of its own making')
}

export function noNewPrivilegesInForce({ task }: Compared): Finding {
  const { NoNewPrivs } = task.status
  if (NoNewPrivs === undefined) return unread('this kernel does not say it (Linux 4.10)')
  return judged(NoNewPrivs === '1', NoNewPrivs === '1' ? 'on' : 'off')
}

/** The shim may be under a filter itself, as in a container: the task has one more. */
export function seccompInForce({ task, shim }: Compared): Finding {
  const { Seccomp: mode, Seccomp_filters: filters } = task.status
  if (mode === undefined) return unread('this kernel does not say it')
  const words = mode === '2' ? `${filters ?? 'some'} filters` : mode === '1' ? 'strict mode' : 'no filter'
  if (mode === '1') return judged(true, words)
  const before = shim.status
  if (
    mode === '2' &&
    before.Seccomp === '2' &&
    (filters === undefined || before.Seccomp_filters === undefined)
  )
    return unread('this kernel does not count filters (Linux 5.9), and the shim has one too')
  const own = Number(filters ?? 1) - (before.Seccomp === '2' ? Number(before.Seccomp_filters) : 0)
  return judged(mode === '2' && own > 0, words)
}

export function privileges(compared: Compared): Readonly<Record<string, () => Finding>> {
  return {
    user: () => userInForce(compared),
    groups: () => groupsInForce(compared),
    capabilities: () => capabilitiesInForce(compared),
    noNewPrivileges: () => noNewPrivilegesInForce(compared),
    seccomp: () => seccompInForce(compared),
  }
}

const setpcap = capabilityNames.indexOf('CAP_SETPCAP')

function groupsAsked({ credentials }: AskedOfKernel, shim: KernelFacts): readonly number[] {
  return credentials?.groups ?? numbers(shim.status.Groups)
}

function same(found: readonly number[], allowed: readonly number[]): boolean {
  return found.every(number => allowed.includes(number))
}

function numbers(text: string): number[] {
  return text.split(/\s+/).filter(Boolean).map(Number)
}

function first(text: string): number {
  return numbers(text)[0] ?? -1
}

function range(ids: readonly number[]): string {
  return [...new Set(ids)].join('/')
}

function bits(hex: string): bigint {
  return /^[0-9a-f]+$/.test(hex) ? BigInt(`0x${hex}`) : ~0n
}

function namesOf(set: bigint): string {
  if (set === 0n) return 'none'
  const names = capabilityNames.filter((_, number) => (set & (1n << BigInt(number))) !== 0n)
  if (names.length === capabilityNames.length) return 'all'
  return names.join(', ')
}
