import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Resources } from '../api.ts'
import { HoldfastError } from '../errors.ts'
import { bestPlatform } from '../platform/best-platform.ts'
import { shortfalls } from '../shortfalls.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import type { TaskExecutor } from '../task/task-executor.ts'
import { setCommand } from '../task/set-command.ts'
import type { Refusal, RunReport } from './host-report.ts'
import { makeTrialDirectory, stateIn } from './trial-directory.ts'

export type Asked = {
  readonly basic?: boolean
  readonly command?: Partial<Command>
  readonly limits?: Resources
  /** Limits that nobody asked for; see `preferred` of a task. */
  readonly preferred?: Resources
}

/** Longer than a start takes on a host that is very busy. */
const maxMs = 20_000

/**
 * Starts tasks that do nothing, to see what becomes of each: the only judge of a start is the start. They
 * have a supervisor and a state directory of their own, of which nothing is left.
 */
export class Trials {
  readonly #directory: string
  readonly #supervisor: Supervisor

  constructor() {
    this.#directory = makeTrialDirectory()
    this.#supervisor = new Supervisor({ stateDir: stateIn(this.#directory), durability: 'process' })
  }

  async of({ basic = false, command = {}, limits, preferred }: Asked = {}): Promise<RunReport> {
    const task = this.#supervisor.executor(basic ? 'basic' : undefined, preferred && { preferred })
    const platform = basic ? 'basic' : bestPlatform()
    const refused = await this.#started(task, command, limits).then(() => null, refusalOf)
    const { enforcement } = task
    await task.destroy().catch(() => {})
    return { platform, refused, enforcement, weakened: refused === null ? shortfalls(enforcement) : [] }
  }

  /** Of a task whose changes to its workspace, an empty directory, are kept apart. */
  async ofOverlay(): Promise<RunReport> {
    const path = join(this.#directory, 'workspace')
    mkdirSync(path, { mode: 0o755 })
    const { refused, enforcement, ...report } = await this.of({
      command: { workspace: { path, overlay: true } },
    })
    // Nobody can do anything to a directory that is gone by then.
    const named = <Text extends string | null>(text: Text): Text =>
      (text === null ? null : text.replaceAll(path, 'DIR')) as Text
    return {
      ...report,
      refused: refused && { why: named(refused.why), hint: named(refused.hint) },
      enforcement: enforcement.map(row => ({ ...row, reason: named(row.reason), hint: named(row.hint) })),
    }
  }

  async #started(task: TaskExecutor, command: Partial<Command>, limits?: Resources): Promise<void> {
    Object.assign(task.command, command)
    setCommand(task, 'true', [])
    if (limits !== undefined) await task.limit(limits)
    await task.start({ signal: AbortSignal.timeout(maxMs) })
    await task.wait()
  }

  async close(): Promise<void> {
    try {
      await this.#supervisor.close()
    } finally {
      rmSync(this.#directory, { recursive: true, force: true })
    }
  }
}

export function refusalOf(error: unknown): Refusal {
  if (error instanceof HoldfastError) return { why: error.message, hint: error.hint ?? null }
  return { why: String(error), hint: null }
}
