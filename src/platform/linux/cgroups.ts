import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { StartRecord } from '../../../machines/index.ts'
import type { Resources } from '../../api.ts'
import type { Scope } from '../../spawn/scope.ts'
import type { CgroupSpec } from '../../spawn/spec.ts'
import { normalizeLimits } from '../limits.ts'
import type { Row } from '../rows.ts'
import { blockDeviceNumber } from './block-device.ts'
import { type CgroupHost, readWords } from './cgroup-mode.ts'
import { CgroupParents, type Parent, type ParentOptions, parentName } from './cgroup-parents.ts'
import { v1Knobs } from './cgroup-v1.ts'
import { v2Knobs } from './cgroup-v2.ts'
import { ownKey, scopeOf } from './cgroup-names.ts'
import { KnobPlacer, type KnobValue } from './knob-placer.ts'
import type { DeferredCgroup } from './deferred-cgroups.ts'
import { limitRows, limitsOf, type Outcome } from './limit-rows.ts'
import { notDelegated } from './limit-shortfalls.ts'
import { SessionCgroups } from './session-cgroups.ts'

export type CgroupPlan = {
  readonly cgroups: readonly CgroupSpec[]
  /**
   * Of v1 hierarchies that it does not join now: where its cgroup will be, should it get a limit there while
   * it runs.
   */
  readonly deferred: readonly string[]
  readonly oomFile: string | null
  /** What the shim does when memory is out; null: the kernel does it, or nobody counts. */
  readonly oom: 'task' | 'process' | null
  readonly freezer: string | null
  readonly rows: readonly Row[]
}

/** What a running task's other limits take. `late` are cgroups in v1 hierarchies that it has not been in. */
export type CgroupChange = {
  readonly writes: readonly CgroupWrite[]
  readonly deferred: readonly DeferredCgroup[]
  readonly rows: readonly Row[]
}

/** One value for one kernel file. */
export type CgroupWrite = { readonly path: string; readonly value: string }

const v1OomFile = 'memory.oom_control'

type PlanOptions = {
  /** Whether killing its PID 1 kills the whole task. */
  readonly pidNamespace: boolean
  readonly scope?: Scope | null
  /** The task's: under systemd its cgroup bears it, for `systemctl status` to show. */
  readonly name?: string
}

type Options = ParentOptions & { readonly sys?: string }

/**
 * Turns limits into cgroups and files, per host. One per process: it remembers what the host offers.
 *
 * A v1 task joins memory and cpuacct always: the first has the OOM counter and the usage (and, in `tasks`,
 * the number of threads), the second the CPU time of those that have already ended. Each hierarchy costs 0.05
 * to 0.12 ms of a start and exit (mkdir + join + rmdir, measured on 6.18: memory 122 us, cpu 97, cpuset 102,
 * cpuacct 83, blkio 70, pids 54, freezer 52), so the others are joined only for a limit, of their own or
 * (cpu, cpuset) of what a runtime sees with them, and the freezer only where no pid namespace makes the kill
 * complete.
 */
export class CgroupPlanner {
  /** Of exec sessions. */
  readonly sessions: SessionCgroups
  readonly #host: CgroupHost
  readonly #parents: CgroupParents
  readonly #placer: KnobPlacer
  readonly #sys: string
  /** Of the v1 controllers that limit something: under what a task's cgroups are, if it has them. */
  readonly #v1Parents: readonly string[]

  constructor(host: CgroupHost, { sys = '/sys', ...options }: Options = {}) {
    this.#host = host
    this.#sys = sys
    const mounts = v1Knobs.map(({ controller }) => host.v1.get(controller))
    this.#v1Parents = [...new Set(mounts.filter(mount => mount !== undefined))].map(mount =>
      join(mount, parentName),
    )
    this.#parents = new CgroupParents(host, options)
    this.#placer = new KnobPlacer(host, this.#parents, { sys, proc: options.proc })
    this.sessions = new SessionCgroups(host, this.#placer, sys)
  }

  /** Where they are mounted. */
  get host(): CgroupHost {
    return this.#host
  }

  plan(
    key: string,
    resources: Resources,
    { pidNamespace, scope = null, name = '' }: PlanOptions,
  ): CgroupPlan {
    const limits = normalizeLimits(resources, device => blockDeviceNumber(device, this.#sys))
    const groups = new Map<string, KnobValue[]>()
    const join1 = (parent: Parent) =>
      'dir' in parent && (groups.has(parent.dir) || groups.set(parent.dir, []))
    for (const name of ['memory', 'cpuacct']) this.#placer.joinAlways(name, scope, join1)
    if (groups.size === 0) for (const name of ['pids', 'freezer']) this.#placer.joinAlways(name, scope, join1)
    const freezer = pidNamespace ? null : this.#placer.v1Parent('freezer')
    if (freezer) join1(freezer)

    const outcomes = new Map<string, Outcome[]>()
    for (const knob of [...v1Knobs, ...v2Knobs]) {
      const outcome = this.#placer.place(knob, limits, { scope, groups })
      if (outcome && knob.limit) outcomes.set(knob.limit, [...(outcomes.get(knob.limit) ?? []), outcome])
    }
    for (const parent of this.#placer.unseenByRuntimes(groups)) join1(parent)
    this.#placer.completeCpusets(groups)
    // systemd shows what is in its own hierarchy only, where the scope is.
    const unit = scope !== null && 'unit' in scope ? scope.unit : null
    const leaf = (parent: string) =>
      `${parent}/${unit !== null && parent.includes(`/${unit}/`) ? `${name}.${key}` : key}`
    const oomFile = this.#oomFile(groups, { scope, leaf })
    return {
      cgroups: [...groups].map(([parent, files]) => ({ dir: leaf(parent), files })),
      deferred: this.#v1Parents.filter(parent => !groups.has(parent)).map(parent => `${parent}/${key}`),
      oomFile,
      oom: oomFile !== null && basename(oomFile) === v1OomFile ? (limits.oom ?? 'task') : null,
      freezer: freezer && 'dir' in freezer ? leaf(freezer.dir) : null,
      rows: limitRows(resources, outcomes),
    }
  }

  /**
   * What is to be written, in order, into the cgroups a running task is in, so that it has what was asked
   * for; `wanted` is that and what it has. In a v1 hierarchy that it has not joined it gets a cgroup now,
   * unless an orchestrator has given it some: then that one decides where it is.
   */
  change(start: Pick<StartRecord, 'cgroups' | 'task'>, asked: Resources, wanted: Resources): CgroupChange {
    const { cgroups } = start
    const scope = scopeOf(cgroups, this.#host)
    const limits = normalizeLimits(wanted, device => blockDeviceNumber(device, this.#sys))
    const changing = limitsOf(asked)
    const joined = new Map(this.joined(start).map(dir => [dirname(dir), dir]))
    const groups = new Map([...joined.keys()].map(parent => [parent, [] as KnobValue[]]))
    const key = ownKey(cgroups)
    const outcomes = new Map<string, Outcome[]>()
    for (const knob of [...v1Knobs, ...v2Knobs]) {
      if (knob.limit === null || !changing.has(knob.limit)) continue
      const outcome = this.#placer.place(knob, limits, { scope, groups })
      const strange = key === null ? [...groups.keys()].filter(parent => !joined.has(parent)) : []
      for (const parent of strange) groups.delete(parent)
      const result = strange.length > 0 ? notDelegated(knob) : outcome
      if (result) outcomes.set(knob.limit, [...(outcomes.get(knob.limit) ?? []), result])
    }
    const deferred = new Map([...groups].filter(([parent]) => !joined.has(parent)))
    this.#placer.completeCpusets(deferred)
    return {
      writes: [...groups].flatMap(([parent, files]) => {
        const dir = joined.get(parent)
        return dir === undefined ? [] : files.map(({ name, value }) => ({ path: join(dir, name), value }))
      }),
      deferred: [...deferred].map(([parent, files]) => this.#deferred(parent, key ?? '', files)),
      rows: limitRows(asked, outcomes),
    }
  }

  /**
   * Those that a running task is in, by its leader: there may also be one in which only its exec sessions
   * are.
   */
  joined({ cgroups, task }: Pick<StartRecord, 'cgroups' | 'task'>): readonly string[] {
    const has = (dir: string): boolean => readWords(join(dir, 'cgroup.procs')).includes(String(task.pid))
    return [...cgroups, ...this.deferredOf(cgroups).filter(has)]
  }

  /** A task's cgroups and those that it has got since: nobody but holdfast makes one with its key. */
  present(cgroups: readonly string[]): readonly string[] {
    return [...cgroups, ...this.deferredOf(cgroups).filter(dir => existsSync(dir))]
  }

  /** Where else it may have one, by now or some time. */
  deferredOf(cgroups: readonly string[]): readonly string[] {
    const key = ownKey(cgroups)
    return key === null
      ? []
      : this.#v1Parents.map(parent => `${parent}/${key}`).filter(dir => !cgroups.includes(dir))
  }

  #deferred(parent: string, key: string, files: readonly KnobValue[]): DeferredCgroup {
    const mount = dirname(parent)
    const controllers = [...this.#host.v1].filter(([, at]) => at === mount).map(([name]) => name)
    return { dir: join(parent, key), mount, controllers: new Set(controllers), files }
  }

  #oomFile(
    groups: ReadonlyMap<string, unknown>,
    { scope, leaf }: { scope: Scope | null; leaf: (parent: string) => string },
  ): string | null {
    const v1 = this.#placer.v1Place('memory')
    if (v1 !== null && groups.has(v1)) return join(leaf(v1), v1OomFile)
    const v2 = this.#host.v2?.controllers.has('memory') ? this.#parents.v2(scope) : null
    if (v2 && 'dir' in v2 && groups.has(v2.dir) && v2.controllers.has('memory'))
      return join(leaf(v2.dir), 'memory.events')
    return null
  }
}
