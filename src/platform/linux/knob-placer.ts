import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../../errors.ts'
import { onceIn } from '../../once-in.ts'
import type { Scope } from '../../spawn/scope.ts'
import type { Limits } from '../limits.ts'
import type { CgroupHost } from './cgroup-mode.ts'
import { type CgroupParents, type Parent, parentName } from './cgroup-parents.ts'
import { v1Knobs } from './cgroup-v1.ts'
import { parseCpuList } from './cpu-list.ts'
import { ioNeedUnmet } from './io-needs.ts'
import type { Knob, KnobFile } from './knob.ts'
import type { Outcome } from './limit-rows.ts'
import { missingController, missingFile, noPlaceBelow } from './limit-shortfalls.ts'

export type KnobValue = { name: string; value: string }

/** Of one task: under which scope its v2 cgroup is, and what is written into which of its cgroups. */
export type Place = {
  readonly scope: Scope | null
  /** By parent. */
  readonly groups: Map<string, KnobValue[]>
}

/** Finds for each knob the hierarchy, the parent and the file of this host. */
export class KnobPlacer {
  readonly #host: CgroupHost
  readonly #parents: CgroupParents
  readonly #sys: string
  readonly #proc: string
  readonly #isRealTime = onceIn(policyMs, isRealTime)

  constructor(
    host: CgroupHost,
    parents: CgroupParents,
    { sys, proc = '/proc' }: { readonly sys: string; readonly proc?: string | undefined },
  ) {
    this.#host = host
    this.#parents = parents
    this.#sys = sys
    this.#proc = proc
  }

  /** Null: the knob is of the other version, or not asked for. */
  place(knob: Knob, limits: Limits, { scope, groups }: Place): Outcome | null {
    if (!this.#responsible(knob)) return null
    const asked = knob.files.some(file => file.values(limits).length > 0)
    if (!asked) return null
    const parent = this.#parentOf(knob, scope)
    if (!('dir' in parent) || !parent.controllers.has(knob.controller))
      return missingController(knob, parent, this.#host)
    const file = this.#chooseFile(knob, parent.dir)
    if (!file) return knob.without ?? missingFile(knob)
    if (knob.limit === 'cpuset') this.#checkProcessors(limits.cpuset ?? '', parent.dir)
    const files = groups.get(parent.dir) ?? []
    groups.set(parent.dir, files)
    for (const value of file.values(limits)) files.push({ name: file.name, value })
    const unmet = file.needs && ioNeedUnmet(file.needs, this.#host, this.#sys)
    return unmet ?? knob.short?.(limits) ?? { status: 'enforced' }
  }

  /**
   * What becomes of it where an exec session's cgroup is to be below that of its task: `above` says where the
   * task's is under a parent, or would be.
   */
  sessionShortfall(
    knob: Knob,
    { scope, groups }: Place,
    above: (parent: string) => string | null,
  ): Outcome | null {
    const parent = this.#parentOf(knob, scope)
    if (!('dir' in parent) || !groups.has(parent.dir)) return null
    const at = above(parent.dir)
    // In a cpuset that is made for the purpose nobody can be before it has processors; of version 2 a task
    // has its cgroup from its start, or none.
    const needsPlace =
      !v1Knobs.includes(knob) || this.#host.v1.get('cpuset') === this.#host.v1.get(knob.controller)
    if (at !== null && (!needsPlace || existsSync(at))) return null
    groups.delete(parent.dir)
    return noPlaceBelow(knob)
  }

  /**
   * A v1 cpuset cannot be joined before it has processors and memory nodes, also when it is only co-mounted
   * with what was wanted. It may have what that one has which it is in: `above` a parent's name.
   */
  completeCpusets(
    groups: Map<string, KnobValue[]>,
    above: (parent: string) => string | null = parent => parent,
  ): void {
    const parent = this.v1Place('cpuset')
    const files = parent === null ? undefined : groups.get(parent)
    if (parent === null || files === undefined) return
    for (const name of ['cpuset.cpus', 'cpuset.mems'])
      if (!files.some(file => file.name === name))
        files.push({ name, value: readFirst([join(above(parent) ?? parent, name)]) })
  }

  /** Where a hierarchy is joined whatever is limited. */
  joinAlways(controller: string, scope: Scope | null, joinParent: (parent: Parent) => unknown): void {
    const parent = this.v1Parent(controller)
    if (parent) joinParent(parent)
    else if (this.#host.v2 && (this.#host.mode === 'v2' || this.#host.v2.controllers.has(controller)))
      joinParent(this.#parents.v2(scope))
  }

  /**
   * The v1 hierarchies that a task has to join for no limit of its own, but because a runtime believes none
   * of its limits where it does not see all of these.
   */
  unseenByRuntimes(groups: Place['groups']): readonly Parent[] {
    if ([...groups.values()].every(files => files.length === 0)) return []
    const parents = seenByRuntimes.flatMap(name => this.v1Parent(name) ?? [])
    const limits = parents.some(parent => 'dir' in parent && (groups.get(parent.dir) ?? []).length > 0)
    return limits && !this.#isRealTime(this.#proc) ? parents : []
  }

  /** Null: the controller is not mounted as v1. */
  v1Parent(controller: string): Parent | null {
    const mount = this.#host.v1.get(controller)
    return mount === undefined ? null : this.#parents.v1(mount)
  }

  /** Where that parent is, without a look at it. */
  v1Place(controller: string): string | null {
    const mount = this.#host.v1.get(controller)
    return mount === undefined ? null : join(mount, parentName)
  }

  /**
   * v1 where the controller is mounted there, v2 otherwise; what neither has is the business of the host's
   * main table.
   */
  #responsible(knob: Knob): boolean {
    const isV1 = v1Knobs.includes(knob)
    const other = knob.controller === 'io' ? 'blkio' : knob.controller === 'blkio' ? 'io' : knob.controller
    if (this.#host.mode === 'v2') return !isV1
    if (isV1) return this.#host.v1.has(knob.controller) || !this.#host.v2?.controllers.has(other)
    return !this.#host.v1.has(other) && (this.#host.v2?.controllers.has(knob.controller) ?? false)
  }

  #parentOf(knob: Knob, scope: Scope | null): Parent {
    if (!v1Knobs.includes(knob)) return this.#parents.v2(scope)
    return this.v1Parent(knob.controller) ?? { reason: `the ${knob.controller} controller is not mounted` }
  }

  #chooseFile(knob: Knob, dir: string): KnobFile | undefined {
    const offered = knob.files.filter(({ name }) => this.#parents.offers(dir, name))
    return offered.find(({ needs }) => !needs || !ioNeedUnmet(needs, this.#host, this.#sys)) ?? offered[0]
  }

  /**
   * v1 answers EINVAL from deep inside the start, v2 falls back to all processors without a word
   * (cgroup-v2.rst, cpuset.cpus).
   */
  #checkProcessors(list: string, dir: string): void {
    const available = readFirst([
      join(dir, 'cpuset.cpus.effective'),
      join(dir, 'cpuset.effective_cpus'),
      join(dir, 'cpuset.cpus'),
    ])
    const known = parseCpuList(available)
    const missing = [...parseCpuList(list)].filter(cpu => !known.has(cpu))
    if (known.size === 0 || missing.length === 0) return
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `cpuset: got ${list}, but this host offers processors ${available}`,
      {
        hint: `choose from ${available}`,
      },
    )
  }
}

/** HotSpot's (cgroupSubsystem_linux.cpp). */
const seenByRuntimes = ['memory', 'cpu', 'cpuacct', 'cpuset'] as const

/** Milliseconds. The kernel adds up all threads of this process for each answer. */
const policyMs = 1000

/**
 * A task inherits its caller's policy. Of those with a real-time one the cpu controller takes nobody in whom
 * it was not told to (CONFIG_RT_GROUP_SCHED), and cpuset none with a deadline.
 */
function isRealTime(proc: string): boolean {
  const stat = readFirst([join(proc, 'self/stat')])
  // proc_pid_stat(5): `policy` is the 41st field, the 39th after the name, which may hold anything.
  const policy = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]
  return policy === '1' || policy === '2' || policy === '6'
}

function readFirst(paths: readonly string[]): string {
  for (const path of paths) {
    if (!statSync(path, { throwIfNoEntry: false })) continue
    const text = readFileSync(path, 'utf8').trim()
    if (text !== '') return text
  }
  return ''
}
