import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Resources } from '../../api.ts'
import { limitField, memoryLimit } from '../../command/memory-limit.ts'
import type { CgroupSpec } from '../../spawn/spec.ts'
import { normalizeLimits } from '../limits.ts'
import type { Row } from '../rows.ts'
import { blockDeviceNumber } from './block-device.ts'
import type { CgroupHost } from './cgroup-mode.ts'
import { ownKey, scopeOf } from './cgroup-names.ts'
import { v1Knobs } from './cgroup-v1.ts'
import { v2Knobs } from './cgroup-v2.ts'
import type { KnobPlacer, KnobValue, Place } from './knob-placer.ts'
import { limitRows, limitsOf, type Outcome } from './limit-rows.ts'
import { startedWithout } from './limit-shortfalls.ts'

/** Where an exec session is, with limits of its own or without. */
export type SessionPlan = {
  /** The task's (`external`), and its own below those. */
  readonly cgroups: readonly CgroupSpec[]
  readonly oomFile: string | null
  readonly oom: 'task' | null
  readonly rows: readonly Row[]
}

type SessionChange = {
  readonly writes: readonly { readonly path: string; readonly value: string }[]
  readonly rows: readonly Row[]
}

/** What an exec session can have for itself; all other limits are its task's. */
const fields: ReadonlySet<string> = new Set<keyof Resources>([
  'cpu',
  'cpuLimit',
  'memoryBytes',
  'memoryReserveBytes',
  'swapBytes',
  'pids',
])

const v1OomFile = 'memory.oom_control'

/**
 * Exec sessions with limits of their own. Each is in a cgroup below the task's, so that what it uses counts
 * in the task's limits, too; in a v1 hierarchy that the task is not in, in one below the place where the
 * task's would be.
 */
export class SessionCgroups {
  readonly #host: CgroupHost
  readonly #placer: KnobPlacer
  readonly #sys: string

  constructor(host: CgroupHost, placer: KnobPlacer, sys: string) {
    this.#host = host
    this.#placer = placer
    this.#sys = sys
  }

  /** `ofTask`: the cgroups that the task was started in. */
  plan(key: string, ofTask: readonly string[], resources: Resources): SessionPlan {
    const byParent = new Map(ofTask.map(dir => [dirname(dir), dir]))
    const task = ownKey(ofTask)
    const above = (parent: string): string | null =>
      byParent.get(parent) ?? (task === null ? null : join(parent, task))
    const scope = scopeOf(ofTask, this.#host)
    const { groups, rows } = this.#place(resources, resources, (knob, limits, found) => {
      const outcome = this.#placer.place(knob, limits, { scope, groups: found })
      return outcome && (this.#placer.sessionShortfall(knob, { scope, groups: found }, above) ?? outcome)
    })
    // For what it uses, as a task is.
    if (groups.size > 0)
      for (const name of ['memory', 'cpuacct'])
        this.#placer.joinAlways(name, scope, parent => {
          if ('dir' in parent && byParent.has(parent.dir) && !groups.has(parent.dir))
            groups.set(parent.dir, [])
        })
    this.#killWhole({ scope, groups })
    this.#placer.completeCpusets(groups, above)
    const own = [...groups].map(([parent, files]) => ({ dir: join(above(parent) ?? parent, key), files }))
    const given = ofTask.filter(dir => !groups.has(dirname(dir)))
    const counter = oomFileIn(own.map(({ dir }) => dirname(dir)))
    const isWatched = counter !== null && basename(counter) === v1OomFile && memoryLimit(resources) !== null
    return {
      cgroups: [...given.map(dir => ({ dir, external: true, files: [] })), ...own],
      oomFile: counter === null ? oomFileIn(ofTask) : join(dirname(counter), key, basename(counter)),
      oom: isWatched ? 'task' : null,
      rows,
    }
  }

  /** What is to be written, in order, into its `own` cgroups; `wanted`: what is asked for and what it has. */
  change(own: readonly string[], asked: Resources, wanted: Resources): SessionChange {
    const byParent = new Map(own.map(dir => [dirname(dirname(dir)), dir]))
    const scope = scopeOf(own.map(dirname), this.#host)
    const { groups, rows } = this.#place(asked, wanted, (knob, limits, found) => {
      const outcome = this.#placer.place(knob, limits, { scope, groups: found })
      const isWithout = [...found].map(entry => keepPresent(found, entry, byParent)).includes(false)
      return isWithout ? startedWithout(knob) : outcome
    })
    const writes = [...groups].flatMap(([parent, files]) =>
      files.map(({ name, value }) => ({ path: join(byParent.get(parent) ?? parent, name), value })),
    )
    return { writes, rows }
  }

  /** Of version 2, where the kernel can; of version 1 the shim does. */
  #killWhole({ scope, groups }: Place): void {
    const knob = v2Knobs.find(({ limit }) => limit === 'oom')
    const found: Groups = new Map()
    if (knob)
      this.#placer.place(
        knob,
        normalizeLimits({}, () => ''),
        { scope, groups: found },
      )
    for (const [parent, files] of found) groups.get(parent)?.push(...files)
  }

  #place(asked: Resources, wanted: Resources, placed: Placed): { groups: Groups; rows: readonly Row[] } {
    const limits = normalizeLimits(ofSession(wanted), device => blockDeviceNumber(device, this.#sys))
    const changing = limitsOf(ofSession(asked))
    const groups: Groups = new Map()
    const outcomes = new Map<string, Outcome[]>()
    for (const knob of [...v1Knobs, ...v2Knobs]) {
      if (knob.limit === null || !changing.has(knob.limit)) continue
      const outcome = placed(knob, limits, groups)
      if (outcome) outcomes.set(knob.limit, [...(outcomes.get(knob.limit) ?? []), outcome])
    }
    return { groups, rows: limitRows(ofSession(asked), outcomes) }
  }
}

type Groups = Map<string, KnobValue[]>
type Placed = (
  knob: (typeof v1Knobs)[number],
  limits: ReturnType<typeof normalizeLimits>,
  groups: Groups,
) => Outcome | null

/**
 * Leaves of a group only the files that the session's own has; false: it has not all of them. Of version 2 it
 * has those of the controllers that its task's sessions were started with.
 */
function keepPresent(
  groups: Groups,
  [parent, files]: readonly [string, readonly KnobValue[]],
  byParent: ReadonlyMap<string, string>,
): boolean {
  const dir = byParent.get(parent)
  const present = dir === undefined ? [] : files.filter(({ name }) => existsSync(join(dir, name)))
  if (present.length === files.length && dir !== undefined) return true
  if (dir === undefined) groups.delete(parent)
  else groups.set(parent, present)
  return false
}

function ofSession(resources: Resources): Resources {
  return Object.fromEntries(Object.entries(resources).filter(([name]) => fields.has(limitField(name))))
}

/** The counter of OOM kills of what is in these. */
function oomFileIn(cgroups: readonly string[]): string | null {
  const files = cgroups.flatMap(dir => [join(dir, v1OomFile), join(dir, 'memory.events')])
  return files.find(file => existsSync(file)) ?? null
}
