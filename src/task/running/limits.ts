import type { StartRecord } from '../../../machines/index.ts'
import type { Enforcement, Resources } from '../../api.ts'
import { parseResources } from '../../command/validate.ts'
import { HoldfastError } from '../../errors.ts'
import { continueStopped } from '../../spawn/send-signal.ts'
import type { TaskParts } from '../effects/task-parts.ts'
import { readLimits, type UpdatedLimits, writeLimits } from '../limits-file.ts'
import { mergeResources, mergeRows } from '../merge-limits.ts'
import { isRunning } from '../shim-life.ts'
import { written } from '../stop-means.ts'
import { changedDisk, withDisk, withRow } from './disk-limit.ts'
import { type NetworkRules, replaceRules, requireRules, withRules } from './network-rules.ts'

/** `resources` null: the task was started without limits. */
type CurrentLimits = Omit<UpdatedLimits, 'resources'> & { readonly resources: Resources | null }

/** Told of an update. */
export type LimitsChanged = {
  /** The task may have come into other cgroups. */
  cgroups(): void
  /** Other limits are written down. */
  written(): void
}

/** The limits of a task as they are now, whichever supervisor has changed them last. */
export class RunningLimits {
  readonly #task: Pick<TaskParts, 'dir' | 'file' | 'keeper' | 'records'>
  readonly #changed: LimitsChanged

  constructor(task: Pick<TaskParts, 'dir' | 'file' | 'keeper' | 'records'>, changed: LimitsChanged) {
    this.#task = task
    this.#changed = changed
  }

  /** Of a task that has been removed: as it was started. Throws STATE_CORRUPT. */
  get current(): CurrentLimits {
    const { dir, file } = this.#task
    const { enforcement, request } = file.spec
    return readLimits(dir) ?? { revision: 0, resources: request.resources, enforcement }
  }

  get enforcement(): readonly Enforcement[] {
    return this.current.enforcement
  }

  /**
   * Changes the limits, also while other supervisors do: who finds that another was quicker applies what was
   * asked on top of that. Written down once it is so; the limits of a task whose supervisor dies between the
   * two are new, and its rows old. Rejects as Platform.update() does, and LOST without a start record.
   */
  async update(asked: Resources, rules: NetworkRules | null = null): Promise<void> {
    const { dir, file, keeper, records } = this.#task
    if (rules !== null) requireRules(file.spec.request.command)
    for (;;) {
      const current = this.current
      const resources = parseResources(mergeResources(current.resources, asked))
      const start = records.require()
      const disk = await changedDisk(this.#task, current.enforcement, asked)
      const rows = await keeper.update(file.spec.request, start, asked, resources).catch(withDisk(disk))
      this.#changed.cgroups()
      continueStopped(records.known()?.shim)
      const answers = [
        asked.wallTimeMs === undefined || written(dir, `wall ${asked.wallTimeMs}`),
        asked.outputBytes === undefined || written(dir, `output ${asked.outputBytes}`),
        asked.oom === undefined || written(dir, `oom ${asked.oom}`),
        rules === null || replaceRules(dir, rules),
      ]
      if (answers.includes(false)) throw shimGone(dir, records.known())
      const merged = mergeRows(current.enforcement, disk === null ? rows : withRow(rows, disk))
      const enforcement = rules === null ? merged : withRules(merged, rules)
      if (!writeLimits(dir, { revision: current.revision + 1, resources, enforcement })) continue
      this.#changed.written()
      return
    }
  }
}

function shimGone(dir: string, start: StartRecord | null): HoldfastError {
  const why = isRunning(start) ? `its shim lives, and ${dir}/control is gone or another` : 'it has just ended'
  return new HoldfastError('INVALID_STATE', `the limits of the task cannot be changed: ${why}`)
}
