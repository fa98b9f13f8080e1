import type { Limits } from '../limits.ts'

/** One kernel file of one controller: which limit it serves and what is written there. */
export type Knob = {
  /** Whose row it decides. Null: set always, where the file exists. */
  readonly limit: keyof Limits | null
  readonly controller: string
  /** The first of these that the host has is used. */
  readonly files: readonly KnobFile[]
  /** When none of the files exists: what the limit is worth without. Default: it is skipped. */
  readonly without?: Shortfall
  /** What it is less than was asked for, although the file takes the value. */
  readonly short?: (limits: Limits) => Shortfall | null
}

export type KnobFile = {
  readonly name: string
  /** Written one by one, in order; empty: not asked for. */
  readonly values: (limits: Limits) => readonly string[]
  /** The file takes the value and may yet not act on it. */
  readonly needs?: 'bfq' | 'iocost'
}

export type Shortfall = {
  readonly status: 'weakened' | 'skipped'
  readonly reason: string
  readonly hint: string | null
}

export const swapNotAccounted: Shortfall = {
  status: 'weakened',
  reason: 'the kernel does not account swap, so what is over the limit may be swapped out',
  hint: 'boot with swapaccount=1, or turn swap off (swapoff -a)',
}

/** One that has one file. */
export function knob(
  limit: keyof Limits,
  controller: string,
  name: string,
  values: KnobFile['values'],
): Knob {
  return { limit, controller, files: [{ name, values }] }
}

export function one(value: number | string | null): readonly string[] {
  return value === null ? [] : [String(value)]
}

/**
 * CFS bandwidth. The kernel takes no quota below 1 ms (min_cfs_quota_period, kernel/sched/core.c), so a small
 * share of a processor needs a longer period than the usual 100 ms; 1 s is the longest.
 */
export function cpuBandwidth(cores: number): { periodUs: number; quotaUs: number } {
  const periodUs = cores * 100_000 < 1000 ? 1_000_000 : 100_000
  return { periodUs, quotaUs: Math.max(1000, Math.round(cores * periodUs)) }
}
