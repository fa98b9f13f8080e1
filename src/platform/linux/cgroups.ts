import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Resources } from '../../api.ts'
import { HoldfastError } from '../../errors.ts'
import type { Scope } from '../../spawn/scope.ts'
import type { CgroupSpec } from '../../spawn/spec.ts'
import { type Limits, normalizeLimits } from '../limits.ts'
import type { Row } from '../rows.ts'
import { blockDeviceNumber } from './block-device.ts'
import type { CgroupHost } from './cgroup-mode.ts'
import { CgroupParents, type Parent, type ParentOptions, parentName } from './cgroup-parents.ts'
import { v1Knobs } from './cgroup-v1.ts'
import { v2Knobs } from './cgroup-v2.ts'
import { parseCpuList } from './cpu-list.ts'
import { ioNeedUnmet } from './io-needs.ts'
import type { Knob, KnobFile } from './knob.ts'
import type { LateCgroup } from './late-cgroups.ts'
import { limitRows, limitsOf, type Outcome } from './limit-rows.ts'

export type CgroupPlan = {
  readonly cgroups: readonly CgroupSpec[]
  /** Of v1 hierarchies that it does not join now: where its cgroup will be, should it get a limit there while it runs. */
  readonly late: readonly string[]
  readonly oomFile: string | null
  readonly freezer: string | null
  readonly rows: readonly Row[]
}

/** What a running task's other limits take. `late` are cgroups in v1 hierarchies that it has not been in. */
export type CgroupChange = {
  readonly writes: readonly CgroupWrite[]
  readonly late: readonly LateCgroup[]
  readonly rows: readonly Row[]
}

/** One value for one kernel file. */
export type CgroupWrite = { readonly path: string; readonly value: string }

type KnobValue = { name: string; value: string }
type PlanOptions = {
  /** Whether killing its PID 1 kills the whole task. */
  readonly pidNamespace: boolean
  readonly scope?: Scope | null
  /** The task's: under systemd its cgroup bears it, for `systemctl status` to show. */
  readonly name?: string
}

type Place = {
  readonly scope: Scope | null
  /** By parent. */
  readonly groups: Map<string, KnobValue[]>
}

type Options = ParentOptions & { readonly sys?: string }

/**
 * Turns limits into cgroups and files, per host. One per process: it remembers what the host offers.
 *
 * A v1 task joins memory and cpuacct always: the first has the OOM counter and the usage (and, in `tasks`, the number of threads),
 * the second the CPU time of those that have already ended. Each hierarchy costs 0.05 to 0.12 ms of a start and exit
 * (mkdir + join + rmdir, measured on 6.18: memory 122 us, cpu 97, cpuset 102, cpuacct 83, blkio 70, pids 54, freezer 52),
 * so the others are joined only for a limit, and the freezer only where no pid namespace makes the kill complete.
 */
export class CgroupPlanner {
  readonly #host: CgroupHost
  readonly #parents: CgroupParents
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
    for (const name of ['memory', 'cpuacct']) this.#joinAlways(name, scope, join1)
    if (groups.size === 0) for (const name of ['pids', 'freezer']) this.#joinAlways(name, scope, join1)
    const freezer = pidNamespace ? null : this.#v1Parent('freezer')
    if (freezer) join1(freezer)

    const outcomes = new Map<string, Outcome[]>()
    for (const knob of [...v1Knobs, ...v2Knobs]) {
      const outcome = this.#apply(knob, limits, { scope, groups })
      if (outcome && knob.limit) outcomes.set(knob.limit, [...(outcomes.get(knob.limit) ?? []), outcome])
    }
    this.#completeCpusets(groups)
    // systemd shows what is in its own hierarchy only, where the scope is.
    const unit = scope !== null && 'unit' in scope ? scope.unit : null
    const leaf = (parent: string) =>
      join(parent, unit !== null && parent.includes(`/${unit}/`) ? `${name}.${key}` : key)
    return {
      cgroups: [...groups].map(([parent, files]) => ({ dir: leaf(parent), files })),
      late: this.#v1Parents.filter(parent => !groups.has(parent)).map(parent => `${parent}/${key}`),
      oomFile: this.#oomFile(groups, { scope, leaf }),
      freezer: freezer && 'dir' in freezer ? leaf(freezer.dir) : null,
      rows: limitRows(resources, outcomes),
    }
  }

  /**
   * What is to be written, in order, into the cgroups a running task is in, so that it has what was asked for; `wanted` is that and what it has.
   * In a v1 hierarchy that it has not joined it gets a cgroup now, unless an orchestrator has given it some: then that one decides where it is.
   */
  change(cgroups: readonly string[], asked: Resources, wanted: Resources): CgroupChange {
    const scope = scopeOf(cgroups, this.#host)
    const limits = normalizeLimits(wanted, device => blockDeviceNumber(device, this.#sys))
    const changing = limitsOf(asked)
    const joined = new Map(this.present(cgroups).map(dir => [dirname(dir), dir]))
    const groups = new Map([...joined.keys()].map(parent => [parent, [] as KnobValue[]]))
    const key = ownKey(cgroups)
    const outcomes = new Map<string, Outcome[]>()
    for (const knob of [...v1Knobs, ...v2Knobs]) {
      if (knob.limit === null || !changing.has(knob.limit)) continue
      const outcome = this.#apply(knob, limits, { scope, groups })
      const strange = key === null ? [...groups.keys()].filter(parent => !joined.has(parent)) : []
      for (const parent of strange) groups.delete(parent)
      const told = strange.length > 0 ? notGiven(knob) : outcome
      if (told) outcomes.set(knob.limit, [...(outcomes.get(knob.limit) ?? []), told])
    }
    const late = new Map([...groups].filter(([parent]) => !joined.has(parent)))
    this.#completeCpusets(late)
    return {
      writes: [...groups].flatMap(([parent, files]) => {
        const dir = joined.get(parent)
        return dir === undefined ? [] : files.map(({ name, value }) => ({ path: join(dir, name), value }))
      }),
      late: [...late].map(([parent, files]) => this.#late(parent, key ?? '', files)),
      rows: limitRows(asked, outcomes),
    }
  }

  /** A task's cgroups and those that it has got since: nobody but holdfast makes one with its key. */
  present(cgroups: readonly string[]): readonly string[] {
    return [...cgroups, ...this.later(cgroups).filter(dir => existsSync(dir))]
  }

  /** Where else it may have one, by now or some time. */
  later(cgroups: readonly string[]): readonly string[] {
    const key = ownKey(cgroups)
    return key === null
      ? []
      : this.#v1Parents.map(parent => `${parent}/${key}`).filter(dir => !cgroups.includes(dir))
  }

  #late(parent: string, key: string, files: readonly KnobValue[]): LateCgroup {
    const mount = dirname(parent)
    const controllers = [...this.#host.v1].filter(([, at]) => at === mount).map(([name]) => name)
    return { dir: join(parent, key), mount, controllers: new Set(controllers), files }
  }

  #joinAlways(controller: string, scope: Scope | null, joinParent: (parent: Parent) => unknown): void {
    const parent = this.#v1Parent(controller)
    if (parent) joinParent(parent)
    else if (this.#host.v2 && (this.#host.mode === 'v2' || this.#host.v2.controllers.has(controller)))
      joinParent(this.#parents.v2(scope))
  }

  #v1Parent(controller: string): Parent | null {
    const mount = this.#host.v1.get(controller)
    return mount === undefined ? null : this.#parents.v1(mount)
  }

  /** Null: the knob is of the other version, or not asked for. */
  #apply(knob: Knob, limits: Limits, { scope, groups }: Place): Outcome | null {
    if (!this.#responsible(knob)) return null
    const asked = knob.files.some(file => file.values(limits).length > 0)
    if (!asked) return null
    const parent = this.#parentOf(knob, scope)
    if (!('dir' in parent) || !parent.controllers.has(knob.controller))
      return this.#missingController(knob, parent)
    const file = this.#chooseFile(knob, parent.dir)
    if (!file) return knob.without ?? missingFile(knob)
    if (knob.limit === 'cpuset') this.#checkProcessors(limits.cpuset ?? '', parent.dir)
    const files = groups.get(parent.dir) ?? []
    groups.set(parent.dir, files)
    for (const value of file.values(limits)) files.push({ name: file.name, value })
    return (file.needs && ioNeedUnmet(file.needs, this.#host, this.#sys)) ?? { status: 'enforced' }
  }

  /** v1 where the controller is mounted there, v2 otherwise; what neither has is the business of the host's main table. */
  #responsible(knob: Knob): boolean {
    const isV1 = v1Knobs.includes(knob)
    const other = knob.controller === 'io' ? 'blkio' : knob.controller === 'blkio' ? 'io' : knob.controller
    if (this.#host.mode === 'v2') return !isV1
    if (isV1) return this.#host.v1.has(knob.controller) || !this.#host.v2?.controllers.has(other)
    return !this.#host.v1.has(other) && (this.#host.v2?.controllers.has(knob.controller) ?? false)
  }

  #parentOf(knob: Knob, scope: Scope | null): Parent {
    if (!v1Knobs.includes(knob)) return this.#parents.v2(scope)
    return this.#v1Parent(knob.controller) ?? { reason: `the ${knob.controller} controller is not mounted` }
  }

  #missingController({ controller, limit }: Knob, parent: Parent): Outcome | null {
    if (limit === null) return null
    const reason =
      this.#host.unusable.get(controller) ??
      ('reason' in parent ? parent.reason : `the ${controller} controller is not available to ${parent.dir}`)
    return { status: 'skipped', reason, hint: this.#missingHint(controller, parent) }
  }

  #missingHint(controller: string, parent: Parent): string {
    if (this.#host.unusable.has(controller)) return controllerHint(this.#host, controller)
    if ('denied' in parent && parent.denied === true) return delegationHint(this.#host)
    const delegated = 'dir' in parent && /\/user@\d+\.service\//.test(parent.dir)
    return delegated ? undelegatedHint(controller) : controllerHint(this.#host, controller)
  }

  #chooseFile(knob: Knob, dir: string): KnobFile | undefined {
    const offered = knob.files.filter(({ name }) => this.#parents.offers(dir, name))
    return offered.find(({ needs }) => !needs || !ioNeedUnmet(needs, this.#host, this.#sys)) ?? offered[0]
  }

  /** v1 answers EINVAL from deep inside the start, v2 falls back to all processors without a word (cgroup-v2.rst, cpuset.cpus). */
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

  /** A v1 cpuset cannot be joined before it has processors and memory nodes, also when it is only co-mounted with what was wanted. */
  #completeCpusets(groups: Map<string, KnobValue[]>): void {
    const mount = this.#host.v1.get('cpuset')
    const parent = mount === undefined ? null : this.#parents.v1(mount)
    if (!parent || !('dir' in parent)) return
    const files = groups.get(parent.dir)
    for (const name of ['cpuset.cpus', 'cpuset.mems'])
      if (files && !files.some(file => file.name === name))
        files.push({ name, value: readFirst([join(parent.dir, name)]) })
  }

  #oomFile(
    groups: ReadonlyMap<string, unknown>,
    { scope, leaf }: { scope: Scope | null; leaf: (parent: string) => string },
  ): string | null {
    const v1 = this.#v1Parent('memory')
    if (v1 && 'dir' in v1 && groups.has(v1.dir)) return join(leaf(v1.dir), 'memory.oom_control')
    const v2 = this.#host.v2?.controllers.has('memory') ? this.#parents.v2(scope) : null
    if (v2 && 'dir' in v2 && groups.has(v2.dir) && v2.controllers.has('memory'))
      return join(leaf(v2.dir), 'memory.events')
    return null
  }
}

function notGiven({ controller }: Knob): Outcome {
  return {
    status: 'skipped',
    reason: `none of the cgroups that the task was given is of the ${controller} controller`,
    hint: 'give it one of that hierarchy when it is started',
  }
}

/** The name of each cgroup of a v1 task that has only its own. Null for any other. */
function ownKey(cgroups: readonly string[]): string | null {
  const [first] = cgroups
  if (first === undefined) return null
  const key = basename(first)
  return cgroups.every(dir => basename(dir) === key && basename(dirname(dir)) === parentName) ? key : null
}

/** Where a running task's cgroup is, whichever supervisor's spawner has put it there. */
function scopeOf(cgroups: readonly string[], { v2 }: CgroupHost): Scope | null {
  const at = cgroups.map(dir => dirname(dirname(dir))).find(dir => /\/holdfast-[^/]*\.scope$/.test(dir))
  return v2 === null || at === undefined ? null : { unit: basename(at), path: at.slice(v2.mount.length) }
}

function missingFile({ files, limit }: Knob): Outcome | null {
  if (limit === null) return null
  const names = files.map(({ name }) => name).join(' nor ')
  return { status: 'skipped', reason: `the kernel offers no ${names}`, hint: 'a kernel configured with it' }
}

/** As every container has it that is not privileged: neither a chmod nor a delegation changes a mount. */
const readOnlyHint =
  'make the mount writable: mount -o remount,bind,rw on it (as root with CAP_SYS_ADMIN), or start the container with a writable one: docker run --privileged, or --cgroupns host -v /sys/fs/cgroup:/sys/fs/cgroup:rw'

function controllerHint(host: CgroupHost, controller: string): string {
  if (host.mode === 'none') return 'mount -t cgroup2 none /sys/fs/cgroup'
  if (host.unusable.has(controller)) return readOnlyHint
  if (controller === 'memory') return 'boot with cgroup_enable=memory'
  if (host.mode === 'v2')
    return `echo +${controller} > ${host.v2?.mount ?? '/sys/fs/cgroup'}/cgroup.subtree_control`
  const at = `/sys/fs/cgroup/${controller}`
  return `mkdir -p ${at} && mount -t cgroup -o ${controller} cgroup ${at}`
}

/** How an ordinary user comes to a cgroup of its own. A v1 hierarchy is never delegated: there it could take its limits off itself. */
function delegationHint({ mode }: CgroupHost, root = ''): string {
  if (mode !== 'v2') return 'run as root (sudo)'
  if (existsSync(`${root}/run/systemd/system`))
    return 'sudo loginctl enable-linger "$USER", or run under: systemd-run --user --scope --property=Delegate=yes'
  return 'run as root (sudo), or in a cgroup that root has given to you: mkdir and chown -R it below /sys/fs/cgroup, and echo your shell into its cgroup.procs'
}

/** By default systemd delegates memory and pids to users, and not the rest. */
function undelegatedHint(controller: string): string {
  return `printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo systemctl edit --stdin user@.service   # for ${controller}; then log in anew`
}

function readFirst(paths: readonly string[]): string {
  for (const path of paths) {
    if (!statSync(path, { throwIfNoEntry: false })) continue
    const text = readFileSync(path, 'utf8').trim()
    if (text !== '') return text
  }
  return ''
}
