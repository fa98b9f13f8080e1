import assert from 'node:assert/strict'
import fc from 'fast-check'
import { limitsHitIn, uncounted } from '../../machines/index.ts'
import type { Executor, Usage, UsageDetail, WaitResult } from '../../src/index.ts'
import { taskStatus } from '../../src/nomad/driver/inspect-task.ts'
import { statsOf } from '../../src/nomad/driver/task-stats.ts'
import { type Level, hclogLine } from '../../src/nomad/plumbing/hclog.ts'
import { exitResult } from '../../src/nomad/tasks/exit-result.ts'
import { codec, type Message } from '../../src/nomad/wire/codec.ts'

const drivers = 'hashicorp.nomad.plugins.drivers.proto'
const through = (message: string, value: object): Message => {
  const { encode, decode } = codec(`${drivers}.${message}`)
  return decode(encode(value))
}

const date = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
const wait: fc.Arbitrary<WaitResult> = fc.record({
  exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
  signal: fc.option(fc.constantFrom('SIGKILL', 'SIGTERM', 'SIGRTMIN+3' as NodeJS.Signals)),
  coreDumped: fc.boolean(),
  oomKilled: fc.boolean(),
  cause: fc.constantFrom(
    'exited',
    'signaled',
    'shutdown',
    'forced',
    'oom',
    'timeout',
    'output',
    'startFailed',
    'lost',
  ),
  evidence: fc.constantFrom('record', 'inferred'),
  error: fc.constant(null),
  startedAt: fc.option(date),
  exitedAt: fc.option(date),
  usage: fc.constant(null),
  logsComplete: fc.boolean(),
  limitsHit: fc.constant(limitsHitIn({ oomKills: null, limitsHit: uncounted })),
  successful: fc.boolean(),
})
const amount = fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }))
const whole = fc.option(fc.integer({ min: 0, max: 2 ** 31 }))

/**
 * Answers without some of their parts make the agent's own code fall over, and every task of the node with
 * it.
 */
describe('the agent is never given what it panics on', () => {
  it('InspectTask always has a task, both times and a result, whatever the state', () =>
    fc.assert(
      fc.asyncProperty(fc.option(wait), fc.nat(), async (result, startedAt) => {
        const executor = { state: result === null ? 'running' : 'exited', wait: async () => result }
        const record = { v: 1 as const, id: 'a/t/1', key: 'k', allocId: 'a', name: 't', startedAt }
        const task = await taskStatus({ record, stateDir: '/s', executor: executor as unknown as Executor })
        const told = through('InspectTaskResponse', { task }).task as Message
        assert.ok(told.started_at && told.completed_at && told.result)
      }),
    ))

  it('an end that nobody knows is never told as a success', () =>
    fc.assert(
      fc.property(wait, result => {
        const { exit_code, signal } = exitResult(result)
        if (result.exitCode !== 0) assert.ok(exit_code !== 0 || signal !== 0)
        const told = through('WaitTaskResponse', { result: exitResult(result) })
        assert.deepEqual(told.result, exitResult(result))
      }),
    ))

  it('TaskStats always has a time and a usage, and measures only what is known', () =>
    fc.assert(
      fc.property(
        fc.record({
          at: date,
          cpuPercent: amount,
          throttledMs: amount,
          memoryBytes: whole,
          memoryPeakBytes: whole,
        }),
        fc.array(fc.record({ at: date, cpuUserMs: amount, anonBytes: whole }), { maxLength: 2 }),
        fc.option(fc.integer({ min: 1, max: 9000 })),
        (usage, details, mhz) => {
          const [detail = null, before = null] = details as unknown as UsageDetail[]
          const sample = { usage: usage as unknown as Usage, detail, before }
          const told = through('TaskStatsResponse', { stats: statsOf('a/t/1', sample, mhz) })
          const stats = told.stats as Message
          assert.ok(stats.timestamp)
          const { cpu, memory } = stats.agg_resource_usage as { cpu: Message; memory: Message }
          assert.equal((cpu.measured_fields as number[]).includes(5), usage.cpuPercent !== null)
          assert.equal((memory.measured_fields as number[]).includes(5), usage.memoryBytes !== null)
          assert.equal(
            (memory.measured_fields as number[]).includes(0),
            typeof detail?.anonBytes === 'number',
          )
        },
      ),
    ))

  it('a log line is one line of JSON whose own keys are strings, with six digits of a second', () =>
    fc.assert(
      fc.property(
        fc.constantFrom<Level>('trace', 'debug', 'info', 'warn', 'error'),
        fc.string({ unit: 'binary' }),
        fc.dictionary(
          fc.constantFrom('@level', '@message', 'task_id', '__proto__'),
          fc.oneof(fc.string(), fc.integer()),
        ),
        (level, message, details) => {
          const line = hclogLine(level, message, details)
          assert.equal(line.indexOf('\n'), line.length - 1)
          const parsed = JSON.parse(line) as Record<string, unknown>
          assert.deepEqual([parsed['@level'], parsed['@message']], [level, message])
          assert.match(String(parsed['@timestamp']), /\.\d{6}Z$/)
        },
      ),
    ))
})
