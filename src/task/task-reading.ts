import { type Observable, Subscription, using } from 'rxjs'
import type { Call } from '../../machines/index.ts'
import type * as api from '../api.ts'
import { checkLogOptions, checkStream, parseApplyOptions, parsePatchOptions } from './call-options.ts'
import { withCpuPercent } from './cpu-percent.ts'
import { egressStream } from './egress.ts'
import { logStream } from './log-stream.ts'
import type { OutputSource } from './output-reader.ts'
import { outputStream, readBytes } from './output-stream.ts'
import { type Streamed, streamed } from './pulled.ts'
import type { TaskActor } from './task-actor.ts'
import { taskEgress, taskOutput } from './task-output.ts'
import type { TaskProcess } from './task-process.ts'
import type { TaskServices } from './task-services.ts'

type Read = {
  readonly actor: TaskActor
  readonly process: TaskProcess | null
  requireProcess(): TaskProcess
  allow(call: Call): boolean
}

/** What one executor reads of its task: samples of what it uses, what it has written, and changed. */
export class TaskReading {
  readonly #services: TaskServices
  readonly #task: () => Read
  #lastUsage: api.Usage | null = null

  constructor(services: TaskServices, task: () => Read) {
    this.#services = services
    this.#task = task
  }

  async usage(): Promise<api.Usage> {
    const task = this.#task()
    task.allow('usage')
    const sample = withCpuPercent(await task.requireProcess().usage.sample(), this.#lastUsage)
    this.#lastUsage = sample
    return sample
  }

  async usageDetail(): Promise<api.UsageDetail> {
    const task = this.#task()
    task.allow('usage')
    return task.requireProcess().usage.detail()
  }

  /** `samples` of the task, watched as long as somebody subscribes. */
  usage$(samples: Observable<api.Usage>): Observable<api.Usage> {
    return using(
      () => new Subscription(this.#task().process?.usage.watch()),
      () => samples,
    )
  }

  logs$(stream: 'stdout' | 'stderr', options: api.LogOptions): Streamed<Uint8Array> {
    checkStream('logs$', stream)
    checkLogOptions('logs$', options)
    const source = this.#output('logs$')
    const { log, ...rest } = source
    if (options.since !== undefined) return streamed(() => readBytes(source, options, stream))
    return logStream(
      {
        ...rest,
        target: () => log(stream).target,
        files: () => log(stream).files,
        numbering: () => log(stream).numbering,
      },
      options,
    )
  }

  output$(options: api.LogOptions): Streamed<api.OutputChunk> {
    checkLogOptions('output$', options)
    return outputStream(this.#output('output$'), options)
  }

  egress$(): Streamed<api.EgressDecision> {
    return egressStream(() => taskEgress(...this.#read('egress$')))
  }

  async verify(): Promise<api.Verification> {
    const task = this.#task()
    task.allow('verify')
    return task.requireProcess().verify()
  }

  async changes(): Promise<api.Change[]> {
    const task = this.#task()
    task.allow('changes')
    return task.requireProcess().overlay.changes()
  }

  patches(options: api.PatchOptions): AsyncIterableIterator<api.FilePatch> {
    const asked = parsePatchOptions(options)
    const task = this.#task()
    task.allow('patches')
    return task.requireProcess().overlay.patches(asked)
  }

  async apply(options: api.ApplyOptions): Promise<api.Change[]> {
    const { force } = parseApplyOptions(options)
    const task = this.#task()
    task.allow('apply')
    return task.requireProcess().overlay.apply(force)
  }

  #output(call: 'logs$' | 'output$'): OutputSource {
    return taskOutput(...this.#read(call))
  }

  #read(call: 'logs$' | 'output$' | 'egress$'): Parameters<typeof taskOutput> {
    const task = this.#task()
    task.allow(call)
    return [task.requireProcess(), task.actor, this.#services]
  }
}
