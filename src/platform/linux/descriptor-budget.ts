import { readText } from '../../if-there.ts'

/** What a process that cannot say how many it may have is taken to have: the kernel's own default. */
const defaultLimit = 1024

/**
 * How many descriptors may be kept open for no other reason than that opening anew costs more. They are the
 * first to do without when there are few: files that a task needs to be started at all are opened by others.
 */
export class DescriptorBudget {
  #left: number

  constructor(count: number) {
    this.#left = count
  }

  /** All of them or none. */
  take(count: number): boolean {
    if (count > this.#left) return false
    this.#left -= count
    return true
  }

  giveBack(count: number): void {
    this.#left += count
  }
}

let shared: DescriptorBudget | null = null

/**
 * Of this process, whose descriptors are one supply for all its supervisors: half of what it may open
 * (RLIMIT_NOFILE when first asked).
 */
export function keptDescriptors(): DescriptorBudget {
  shared ??= new DescriptorBudget(Math.floor(openFilesLimit(readText('/proc/self/limits')) / 2))
  return shared
}

/**
 * proc_pid_limits(5): `Max open files            1024                 524288               files`. Node
 * raises the soft one at its start.
 */
export function openFilesLimit(limits: string): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1]
  if (soft === 'unlimited') return Number.POSITIVE_INFINITY
  return soft === undefined ? defaultLimit : Number(soft)
}
