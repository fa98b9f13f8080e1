import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { isTaken } from '../../command/taken-numbers.ts'
import { HoldfastError } from '../../errors.ts'
import { currentBootId, identify } from '../../spawn/process-table.ts'
import type { LaunchSpec } from '../../spawn/spec.ts'
import { lazily } from '../../lazily.ts'
import type { Claim } from './claim.ts'
import { deviceOf, whyHeld, whyLeft } from './evidence.ts'
import { placesOf } from './places.ts'
import { Registry } from './registry.ts'

/** Which numbers are given to tasks, and where is written down who has them. */
export type OwnUserRange = { readonly first: number; readonly count: number; readonly registry: string }

/**
 * Behind the numbers that systemd gives to containers (524,288 to 1,879,048,191), and before those that the C
 * library could take for negative.
 */
export const defaultRange: OwnUserRange = {
  first: 0x7000_0000,
  count: 65_536,
  registry: '/var/lib/holdfast-users',
}

/** Whose a number is; in task.json. */
export type OwnUser = { readonly number: number; readonly registry: string }

type Owner = { readonly stateDir: string; readonly key: string }

/** Numbers of users that are one task's each. */
export class OwnUsers {
  readonly range: OwnUserRange
  readonly #registry: Registry
  /** Behind the number that was claimed last. */
  #next: number | null = null

  constructor(range: OwnUserRange) {
    this.range = range
    this.#registry = new Registry(range.registry)
  }

  /**
   * A number that no account, no task and no process of this host has, for as long as anything of the task is
   * left. Rejects PERMISSION, and UNSUPPORTED when all are given out.
   */
  async claim(owner: Owner): Promise<OwnUser> {
    this.#registry.prepare()
    const claim = claimOf(owner)
    let held: string | null = null
    let tried = 0
    for (const number of numbersOf(this.range, this.#next)) {
      if (++tried % 64 === 0) await setImmediate()
      const why = await this.#take(number, claim)
      if (why === null) {
        this.#next = number + 1
        return { number, registry: this.range.registry }
      }
      held ??= `${number}: ${why}`
    }
    throw exhausted(this.range, held)
  }

  /** Null: it is ours. Else why not. */
  async #take(number: number, claim: Claim): Promise<string | null> {
    const { generation, claim: present } = this.#registry.read(number)
    if (present === 'unreadable') return `it cannot be read whose it is (${this.range.registry}/${number})`
    const why = present === null ? null : whyHeld(number, present)
    if (why !== null) return why
    if (await isTaken(number)) return 'an account of this host has it'
    return this.#registry.replace(number, generation, claim) ? null : 'another task was quicker'
  }
}

/** What is going to be started as it: where files of it may be left, and what of it in the kernel. */
export function recordOwnUserPlaces(
  { number, registry: path }: OwnUser,
  owner: Owner,
  spec: LaunchSpec,
): void {
  const registry = new Registry(path)
  const { generation, claim } = registry.read(number)
  const known: Claim = {
    ...claimOf(owner),
    places: placesOf(spec, join(owner.stateDir, 'allocs', owner.key)).map(place => ({
      path: place,
      device: deviceOf(place),
    })),
    lingers: !spec.namespaces.includes('ipc') || !spec.seccomp,
  }
  if (isClaimOf(claim, owner) && registry.replace(number, generation, known)) return
  throw new HoldfastError('STATE_CORRUPT', `user ${number} is another's by now`, { path, stage: 'user' })
}

/**
 * Of a task that has been removed, or never came to be, no process of which is left. The number stays its
 * where files of it may be left. Idempotent; never throws: what is not given back here is found free by the
 * next who looks.
 */
export function giveBack({ number, registry: path }: OwnUser, owner: Owner): void {
  try {
    const registry = new Registry(path)
    const { generation, claim } = registry.read(number)
    if (!isClaimOf(claim, owner)) return
    if (whyLeft(number, claim) === null) registry.replace(number, generation, null)
    else if (!claim.isRemoved) registry.replace(number, generation, { ...claim, isRemoved: true })
  } catch {
    // A registry that is gone, or read-only.
  }
}

function isClaimOf(claim: Claim | 'unreadable' | null, { stateDir, key }: Owner): claim is Claim {
  return claim !== null && claim !== 'unreadable' && claim.key === key && claim.stateDir === stateDir
}

const ourselves = lazily(() => identify(process.pid) ?? { pid: process.pid, startTime: 0 })

function claimOf({ stateDir, key }: Owner): Claim {
  return {
    ...{ stateDir, key, device: deviceOf(stateDir), by: ourselves(), bootId: currentBootId() },
    ...{ isRemoved: false, places: [], lingers: false },
  }
}

/**
 * From anywhere in the range on, then from behind the last: who has just been given back is not the next, of
 * many supervisors each begins elsewhere, and those that follow one another are asked for together.
 */
function* numbersOf({ first, count }: OwnUserRange, next: number | null): Generator<number> {
  const offset = next === null ? Math.floor(Math.random() * count) : next - first
  for (let index = 0; index < count; index++) yield first + ((offset + index) % count)
}

function exhausted({ first, count, registry }: OwnUserRange, held: string | null): HoldfastError {
  return new HoldfastError(
    'UNSUPPORTED',
    `command.user: "own" cannot be had: all ${count} numbers from ${first} on are given out${held === null ? '' : ` (${held})`}`,
    {
      stage: 'user',
      path: registry,
      hint: 'remove ended tasks (holdfast prune), or give the supervisor more numbers (ownUsers)',
    },
  )
}
