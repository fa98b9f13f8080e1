import { strict as assert } from 'node:assert'
import type { Executor } from '../../../src/index.ts'
import { CliBench } from '../../support/cli-bench.ts'
import type { Said } from '../../support/command-line.ts'
import { eventually } from '../../support/eventually.ts'
import { asTasks, on, onTasks, takesJson } from './task-words.ts'

type Task = { readonly key: string; readonly bench: CliBench }
type Row = {
  readonly code: number
  /** What is printed for people; the name of the task is `web`. */
  readonly stdout: (key: string) => RegExp
  readonly stderr: (key: string) => RegExp
  /** What of the one document under --json is to be so; the same exit code, and nothing else said. */
  readonly json?: object
  /** What is left of the task. */
  readonly leaves: 'running' | 'exited' | 'nothing'
  /** What somebody else does to the task while the command is at work. */
  readonly meanwhile?: (task: Executor, terminated: number) => Promise<unknown>
}

const nothing = (): RegExp => /^$/
const always =
  (pattern: RegExp): Row['stdout'] =>
  () =>
    pattern
const ended = {
  exitCode: 3,
  cause: 'exited',
  signal: null,
  evidence: 'record',
  error: null,
  successful: false,
}
const killed = { exitCode: null, cause: 'forced', signal: 'SIGKILL', evidence: 'record', error: null }
const table = (states: string): RegExp => new RegExp(`^NO +TIME +AFTER +STATE +EVENT +DETAILS\n${states}$`)
const started = '1 .*configured → limited +START\n2 .*limited → running +launch done +took .* ms\n'
const before = 'had ended before: exited with code 3 after .*'
const over = (call: string): RegExp => new RegExp(`^holdfast: ${call}\\(\\) is refused: the task has ended`)

/** What each command does with a task that runs, and prints `out` and `err` before. */
const running: Readonly<Record<string, Row>> = {
  wait: { code: 137, stdout: nothing, stderr: nothing, json: killed, leaves: 'exited', meanwhile: kill },
  stop: {
    code: 0,
    stdout: key => new RegExp(`^web \\[${key}\\] was ended by SIGTERM \\(stopped as asked\\) after .*\n$`),
    stderr: nothing,
    json: { cause: 'shutdown', signal: 'SIGTERM', exitCode: null, error: null },
    leaves: 'exited',
  },
  kill: {
    code: 0,
    stdout: key => new RegExp(`^web \\[${key}\\] was ended by SIGKILL \\(killed by force\\) after .*\n$`),
    stderr: nothing,
    json: killed,
    leaves: 'exited',
  },
  rm: {
    code: 1,
    stdout: nothing,
    stderr: key => new RegExp(`^holdfast: task web \\(${key}\\) is running\n  hint: .*rm --force ${key}`),
    leaves: 'running',
  },
  logs: { code: 0, stdout: always(/^out\n$/), stderr: always(/^err\n$/), leaves: 'running' },
  history: { code: 0, stdout: () => table(started), stderr: nothing, leaves: 'running' },
  stats: {
    code: 0,
    stdout: key => new RegExp(`^KEY +NAME +CPU .*\n${key}  web +[\\d.]+ m?s .*\n$`),
    stderr: nothing,
    json: { tasks: [{ task: { name: 'web' } }] },
    leaves: 'running',
  },
  verify: {
    code: 0,
    stdout: always(
      /^NAME +ASKED +STATUS +VERDICT +IN FORCE +AT START\n[^]*network +host +skipped +unverifiable +- +-\n/,
    ),
    stderr: nothing,
    json: { task: { name: 'web' }, verdict: 'holds', live: true },
    leaves: 'running',
  },
  diff: {
    code: 1,
    stdout: nothing,
    stderr: always(/^holdfast: changes\(\) is refused: .* no overlay, .*\n {2}hint: .*--overlay/),
    json: { error: { code: 'INVALID_STATE' } },
    leaves: 'running',
  },
  apply: {
    code: 1,
    stdout: nothing,
    stderr: always(/^holdfast: apply\(\) is refused: the task is running/),
    json: { error: { code: 'INVALID_STATE' } },
    leaves: 'running',
  },
  exec: {
    code: 0,
    stdout: nothing,
    stderr: nothing,
    json: { task: { name: 'web.true' }, exitCode: 0, cause: 'exited', error: null, successful: true },
    leaves: 'running',
  },
  attach: {
    code: 137,
    stdout: nothing,
    stderr: nothing,
    leaves: 'exited',
    // It says nothing when it has come: that it would hear of a signal shows it.
    meanwhile: async (task, terminated) => {
      await eventually(() => assert.ok(process.listenerCount('SIGTERM') > terminated))
      await task.forceStop()
    },
  },
  update: {
    code: 0,
    stdout: key => new RegExp(`^web \\[${key}\\]\n {2}enforced +time 1h\n$`),
    stderr: nothing,
    json: { task: { name: 'web' } },
    leaves: 'running',
  },
}

/** And with one that has ended, with code 3. */
const exited: Readonly<Record<string, Row>> = {
  wait: { code: 3, stdout: nothing, stderr: nothing, json: ended, leaves: 'exited' },
  stop: {
    code: 0,
    stdout: key => new RegExp(`^web \\[${key}\\] ${before}\n$`),
    stderr: nothing,
    json: ended,
    leaves: 'exited',
  },
  kill: {
    code: 0,
    stdout: key => new RegExp(`^web \\[${key}\\] ${before}\n$`),
    stderr: nothing,
    json: ended,
    leaves: 'exited',
  },
  rm: { code: 0, stdout: key => new RegExp(`^${key}\n$`), stderr: nothing, leaves: 'nothing' },
  logs: { code: 0, stdout: always(/^out\n$/), stderr: always(/^err\n$/), leaves: 'exited' },
  history: {
    code: 0,
    stdout: () => table(`${started}3 .*running → exited +EXITED +exited, exit code 3\n`),
    stderr: nothing,
    leaves: 'exited',
  },
  stats: {
    code: 1,
    stdout: nothing,
    stderr: key =>
      new RegExp(
        `^holdfast: task web \\(${key}\\) is exited: it uses nothing\n {2}hint: .*wait --json ${key}`,
      ),
    json: { error: { code: 'INVALID_STATE' } },
    leaves: 'exited',
  },
  verify: {
    code: 0,
    stdout: always(
      /^NAME +ASKED +STATUS +VERDICT +IN FORCE +AT START\n[^]*network +host +skipped +unverifiable +- +-\n/,
    ),
    stderr: nothing,
    json: { task: { name: 'web' }, verdict: 'holds', live: false },
    leaves: 'exited',
  },
  diff: {
    code: 1,
    stdout: nothing,
    stderr: always(/^holdfast: changes\(\) is refused: .* no overlay, .*\n {2}hint: .*--overlay/),
    json: { error: { code: 'INVALID_STATE' } },
    leaves: 'exited',
  },
  apply: {
    code: 1,
    stdout: nothing,
    stderr: always(/^holdfast: apply\(\) is refused: .* no overlay/),
    json: { error: { code: 'INVALID_STATE' } },
    leaves: 'exited',
  },
  exec: {
    code: 125,
    stdout: nothing,
    stderr: () => over('exec'),
    json: { error: { code: 'INVALID_STATE' } },
    leaves: 'exited',
  },
  attach: {
    code: 125,
    stdout: nothing,
    stderr: key => new RegExp(`^holdfast: task ${key} \\(web\\) has ended\n {2}hint: .*holdfast logs ${key}`),
    leaves: 'exited',
  },
  update: {
    code: 1,
    stdout: nothing,
    stderr: () => over('update'),
    json: { error: { code: 'INVALID_STATE' } },
    leaves: 'exited',
  },
}

describe('every command on a task', function () {
  this.timeout(120_000)

  let bench: CliBench
  beforeEach(() => {
    bench = new CliBench()
  })
  afterEach(() => bench.dispose())

  const starts: Readonly<Record<string, (bench: CliBench) => Promise<string>>> = {
    'that runs': async bench => {
      const key = await bench.detached('web', ['sh', '-c', 'echo out; echo err >&2; exec sleep 1000'])
      await eventually(async () => {
        const { stdout, stderr } = await bench.say(['logs', key])
        assert.deepEqual([stdout, stderr], ['out\n', 'err\n'])
      })
      return key
    },
    'that has ended': bench => bench.ended('web', ['sh', '-c', 'echo out; echo err >&2; exit 3']),
  }

  for (const [what, rows] of [
    ['that runs', running],
    ['that has ended', exited],
  ] as const)
    for (const command of onTasks) {
      const name = command.name()
      const rowOf = (): Row => rows[name] ?? assert.fail(`no row for ${name} on a task ${what}`)
      const begun = async (): Promise<Task> => ({ key: (await starts[what]?.(bench)) ?? '', bench })

      it(`${name}, on one ${what}: says so to people`, async () => {
        const row = rowOf()
        const task = await begun()
        const { code, stdout, stderr } = await carriedOut(task, on(command, task.key), row)
        assert.match(stdout, row.stdout(task.key))
        assert.match(stderr, row.stderr(task.key))
        assert.equal(code, row.code)
        assert.equal(await leftOf(task), row.leaves)
      })

      if (takesJson(command) && name !== 'history')
        it(`${name} --json, on one ${what}: prints one document`, async () => {
          const row = rowOf()
          const task = await begun()
          const { code, stdout, stderr } = await carriedOut(task, on(command, 'web', '--json'), row)
          assert.deepEqual([code, stderr], [row.code, ''])
          const document = JSON.parse(stdout)
          const expected = row.json ?? assert.fail(`no document of ${name}`)
          assert.deepEqual(likeness(document, expected), expected)
          if (name !== 'exec' && 'task' in document) assert.equal(document.task.key, task.key)
          assert.equal(await leftOf(task), row.leaves)
        })
    }

  it('the rows are of commands that there are', () => {
    const names = onTasks.map(command => command.name()).sort()
    for (const rows of [running, exited]) assert.deepEqual(Object.keys(rows).sort(), names)
    assert.ok([...asTasks].every(name => name === 'run' || names.includes(name)))
  })
})

async function carriedOut({ key, bench }: Task, words: readonly string[], row: Row): Promise<Said> {
  const terminated = process.listenerCount('SIGTERM')
  const { meanwhile } = row
  const other = meanwhile && bench.with(key, task => meanwhile(task, terminated))
  const [ended] = await Promise.all([bench.say(words), other])
  return ended
}

async function leftOf({ key, bench }: Task): Promise<string> {
  const { tasks } = JSON.parse((await bench.say(['ps', '--all', '--json'])).stdout)
  const left = tasks.find((task: { key: string }) => task.key === key)
  return left === undefined ? 'nothing' : left.state
}

function kill(task: Executor): Promise<unknown> {
  return task.forceStop()
}

/** What of `value` the pattern speaks of. */
function likeness(value: unknown, pattern: unknown): unknown {
  if (typeof pattern !== 'object' || pattern === null || typeof value !== 'object' || value === null)
    return value
  const of = (key: string): unknown => likeness(Reflect.get(value, key), Reflect.get(pattern, key))
  if (Array.isArray(pattern)) return pattern.map((_, index) => of(String(index)))
  return Object.fromEntries(Object.keys(pattern).map(key => [key, of(key)]))
}
