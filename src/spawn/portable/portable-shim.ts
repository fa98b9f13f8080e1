import { once } from 'node:events'
import { constants } from 'node:os'
import { type ExitRecord, uncounted, unmeasured } from '../../../machines/index.ts'
import { isHeld, watchHeld } from '../alive.ts'
import { KeepAlive } from '../keep-alive.ts'
import { takeWord } from '../left-word.ts'
import { currentBootId, identify } from '../process-table.ts'
import type { LaunchSpec } from '../spec.ts'
import { answer } from './answer.ts'
import { failureOf } from './failure.ts'
import { closeInherited } from './inherited.ts'
import { launch, type Launch } from './launch.ts'
import { heldFifos } from './log-file.ts'
import { writeRecord } from './records.ts'
import type { ShimRequest } from './request.ts'
import { holdShimEnd } from './shim-end.ts'
import { Stopping } from './stopping.ts'
import type { Tree } from './tree.ts'
import { treeUnder } from './tree-under.ts'

/** What there is to say when nothing of the task is left. */
type Left = Pick<ExitRecord, 'survivors' | 'logsComplete'> & { readonly logBytesDropped: number | null }

type Ending = Pick<ExitRecord, 'exitCode' | 'signal' | 'failure'>

/**
 * The task's parent, where there is no native program. It honours docs/native-protocol.md as far as Node can:
 * no namespaces, no cgroups, no rusage (Node reaps its children itself), and what has left the task's process
 * group escapes it (docs/portability.md).
 *
 * It answers with one line on its standard output, and then lives on its own.
 */
export class PortableShim {
  readonly #request: ShimRequest
  readonly #spec: LaunchSpec
  #startedAt: number | null = null
  #stopping: Stopping | null = null

  constructor(request: ShimRequest) {
    this.#request = request
    this.#spec = request.spec
  }

  /**
   * Resolves when the task runs, or has been said not to. The process ends itself when the task has ended.
   */
  async run(): Promise<void> {
    // A file size or processor time limit of whoever starts us is an error to be told, not our death.
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGXFSZ', 'SIGXCPU'] as const) process.on(signal, () => {})
    closeInherited(this.#request)
    try {
      // First of all: who sees a trace of ours and nobody who holds `alive` takes us for dead.
      holdShimEnd(this.#spec.dir, line => this.#stopping?.obey(line))
      this.#refuseOrphaned()
      const launched = launch(this.#request)
      const { child } = launched
      // It comes before anything else can happen in this process.
      child.once('exit', (code, signal) => this.#ended(launched, code, signal))
      await once(child, 'spawn')
      this.#started(launched)
    } catch (error) {
      this.#fail(error)
    }
  }

  /**
   * Loading takes a while, and whoever asked may have died meanwhile. Another supervisor, having seen that
   * death and then an empty directory, has told its caller that nothing was started. Asked after `alive` is
   * made: who sees the death later than that sees it.
   */
  #refuseOrphaned(): void {
    const { inside, lifeline } = this.#spec
    if (inside && !isHeld(inside.alive))
      throw Object.assign(new Error('the task it was to run inside of has ended'), {
        stage: 'task',
        errno: -constants.errno.ESRCH,
      })
    if (isChildOf(this.#request.supervisor) && (lifeline === null || isHeld(lifeline))) return
    throw Object.assign(new Error('the supervisor ended before the task was started'), { stage: 'fork' })
  }

  #started({ child, outputs }: Launch): void {
    const { dir, lifeline, inside } = this.#spec
    const pid = child.pid as number
    this.#startedAt = Date.now()
    const record = {
      format: 'holdfast.start' as const,
      version: 1 as const,
      shim: identify(process.pid) ?? { pid: process.pid, startTime: 0 },
      task: identify(pid) ?? { pid, startTime: 0 },
      init: null,
      bootId: currentBootId(),
      startedAt: this.#startedAt,
      cgroups: [],
    }
    writeRecord(dir, 'start.json', record, false)
    const stopping = new Stopping(treeUnder(child), this.#spec)
    this.#stopping = stopping
    outputs.count(bytes => stopping.gave(bytes))
    for (const path of [lifeline, inside?.alive ?? null])
      if (path !== null) watchHeld(path, new KeepAlive(), () => stopping.force('orphaned'))
    // As a daemon manager would: the host is going down, or somebody wants us gone. Or for who cannot reach
    // `control`, and then there is a word.
    process.on('SIGTERM', () => {
      const word = takeWord(dir)
      if (word?.startsWith('stop ')) stopping.obey(word)
      else stopping.request('shutdown', constants.signals.SIGTERM)
    })
    // For who cannot reach `alive`: it may be gone, or be another's.
    process.on('SIGUSR2', () => stopping.force('force'))
    answer(
      `started 1 ${process.pid} ${record.shim.startTime} ${pid} ${record.task.startTime} ${this.#startedAt}`,
    )
  }

  #ended({ child, outputs }: Launch, exitCode: number | null, signal: NodeJS.Signals | null): void {
    const exitedAt = Date.now()
    const tree: Tree = this.#stopping?.tree ?? treeUnder(child)
    this.#stopping?.over()
    const ending = {
      exitCode: signal === null ? exitCode : null,
      signal: signal === null ? null : constants.signals[signal],
      failure: null,
    }
    // The tree belongs to the task: what the leader left of it ends with it.
    Promise.all([tree.end(maxKillMs), outputs.drained(maxLogsMs)])
      .then(([survivors, complete]) =>
        this.#record(ending, exitedAt, {
          survivors,
          logsComplete: complete && heldFifos === 0,
          logBytesDropped: outputs.dropped(),
        }),
      )
      // Without a record, as on a full disk, the end is concluded from our own: there is nobody to tell.
      .then(
        () => process.exit(0),
        () => process.exit(1),
      )
  }

  #fail(error: unknown): void {
    const failure = failureOf(error)
    this.#record({ exitCode: null, signal: null, failure }, Date.now(), {
      survivors: [],
      logsComplete: false,
      logBytesDropped: null,
    })
    answer(`failed 1 ${failure.stage} ${failure.errno} ${JSON.stringify(failure.detail).slice(1, -1)}`)
    process.exit(0)
  }

  #record(ending: Ending, exitedAt: number, { survivors, logsComplete, logBytesDropped }: Left): void {
    const { dir, durable } = this.#spec
    const exit: ExitRecord = {
      format: 'holdfast.exit',
      version: 1,
      ...ending,
      coreDumped: false,
      rusage: null,
      startedAt: this.#startedAt,
      exitedAt,
      oomKills: null,
      stop: this.#stopping?.record ?? null,
      survivors,
      logsComplete,
      limitsHit: { ...uncounted, logBytesDropped },
      memory: unmeasured,
    }
    writeRecord(dir, 'exit.json', exit, durable)
  }
}

/** What was killed and is not gone by then is named as a survivor; the native shim gives as long. */
const maxKillMs = 10_000
/** Whoever else holds a log's pipe gets so much time after the task's end. */
const maxLogsMs = 1000

/** Windows gives no orphan another parent: there the parent is asked for. */
function isChildOf(supervisor: number): boolean {
  if (process.platform !== 'win32') return process.ppid === supervisor
  try {
    return process.kill(supervisor, 0)
  } catch {
    return false
  }
}
