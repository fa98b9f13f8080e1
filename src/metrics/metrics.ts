import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Cause, Supervisor, TaskState } from '../index.ts'
import { CpuAccount } from './cpu-account.ts'
import { sampleOf } from './sample.ts'

/** What is used of a registry: prom-client's `Registry` is one. */
export type MetricsRegister = {
  readonly contentType: string
  metrics(): Promise<string>
  // As prom-client declares it: of what it registers, we know nothing that its own types do not say.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  registerMetric(metric: any): void
  removeSingleMetric(name: string): void
}

export type MetricsOptions<Register extends MetricsRegister = MetricsRegister> = {
  readonly supervisor: Supervisor
  /** Where to register them, beside the program's own. Default: a registry of their own. */
  readonly register?: Register
}

export type Metrics<Register extends MetricsRegister = MetricsRegister> = {
  readonly register: Register
  /** The content type of {@link text}. */
  readonly contentType: string
  /** The Prometheus text format. Takes a sample of every running task. */
  text(): Promise<string>
  /** Counts no more, and removes its metrics from the registry. */
  close(): void
}

const none = { configured: 0, limited: 0, running: 0, stopping: 0, exited: 0 } satisfies Record<TaskState, 0>
const causes: readonly Cause[] = [
  ...(['exited', 'signaled', 'shutdown', 'forced', 'oom', 'timeout'] as const),
  ...(['output', 'startFailed', 'lost'] as const),
]

/**
 * Metrics of a supervisor's tasks for Prometheus. Events are counted from now on, once each: what an earlier
 * supervisor has counted is not counted again when its tasks are taken over. No label names a task, so that
 * the number of series does not grow with them.
 */
export function metrics<Register extends MetricsRegister = MetricsRegister>({
  supervisor,
  register = new Registry() as unknown as Register,
}: MetricsOptions<Register>): Metrics<Register> {
  const registers = [register as unknown as Registry]
  const cpu = new CpuAccount()
  const starts = new Counter({
    name: 'holdfast_task_starts_total',
    help: 'Tasks whose program was executed.',
    registers,
  })
  const exits = new Counter({
    name: 'holdfast_task_exits_total',
    help: 'Tasks that have ended, by cause; a start that came to nothing has the cause startFailed.',
    labelNames: ['cause'],
    registers,
  })
  const oomKills = new Counter({
    name: 'holdfast_task_oom_kills_total',
    help: 'Tasks in which the OOM killer has killed something, counted when they have ended.',
    registers,
  })
  const latency = new Histogram({
    name: 'holdfast_task_start_duration_seconds',
    help: 'Time from the call of start() until the program was executed, of the tasks started here.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const sampled = () => sampleOf(supervisor, cpu)
  const gauges = [
    new Gauge({
      name: 'holdfast_tasks',
      help: 'Tasks that the supervisor holds, by state.',
      labelNames: ['state'],
      registers,
      collect() {
        for (const [state, count] of Object.entries(none)) this.set({ state }, count)
        for (const { state } of supervisor.tasks.values()) this.inc({ state })
      },
    }),
    new Gauge({
      name: 'holdfast_task_memory_bytes',
      help: 'Memory that the running tasks use together, of those of which it is known.',
      registers,
      async collect() {
        const { memoryBytes } = await sampled()
        if (memoryBytes === null) this.remove()
        else this.set(memoryBytes)
      },
    }),
    new Gauge({
      name: 'holdfast_task_processes',
      help: 'Processes and threads of the running tasks, of those of which it is known.',
      registers,
      async collect() {
        const { pids } = await sampled()
        if (pids === null) this.remove()
        else this.set(pids)
      },
    }),
  ]
  const counters = [
    new Counter({
      name: 'holdfast_task_cpu_seconds_total',
      help: 'CPU time that the tasks held by the supervisor have used.',
      registers,
      async collect() {
        await sampled()
        this.reset()
        this.inc(cpu.seconds)
      },
    }),
    new Counter({
      name: 'holdfast_spawner_restarts_total',
      help: 'How often the spawner has died and was started anew.',
      registers,
      collect() {
        this.reset()
        this.inc(supervisor.spawnerRestarts)
      },
    }),
  ]
  for (const cause of causes) exits.inc({ cause }, 0)
  const subscription = supervisor.journal$.subscribe(({ task, to, from, tookMs, cause, oomKilled }) => {
    if (to === from) return
    if (to === 'running') starts.inc()
    if (to === 'running' && tookMs !== undefined) latency.observe(tookMs / 1000)
    if (to !== 'exited') return
    if (cause !== undefined) exits.inc({ cause })
    if (oomKilled) oomKills.inc()
    cpu.ended(task.key, supervisor.tasks.get(task.key)?.context.outcome?.usage ?? null)
  })
  const names = [starts, exits, oomKills, latency, ...gauges, ...counters].map(nameOf)
  return {
    register,
    contentType: register.contentType,
    text: () => register.metrics(),
    close() {
      subscription.unsubscribe()
      for (const name of names) register.removeSingleMetric(name)
    },
  }
}

/** prom-client keeps it, and its types do not say so. */
function nameOf(metric: object): string {
  return (metric as { readonly name: string }).name
}
