import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Read, Reopened } from './scale-child.ts'
import { median } from './statistics.ts'

export type ScaleRow = {
  readonly name: string
  readonly tasks: number
  /** Of openAll() in a new process: medians over the rounds. */
  readonly milliseconds: number
  readonly cpuMs: number
  /** To the bare reading and parsing of the same files by another new process, round by round. */
  readonly cpuRatio: number
  /** Longest time between two turns of the event loop meanwhile: the median of the rounds' longest. */
  readonly gapMs: number
  readonly heapKibPerTask: number
  readonly rssMib: number
  readonly descriptorsPerTask: number
  /** Of `holdfast ps --all`, from the start of Node to its end; null where it was not asked. */
  readonly psMs: number | null
}

export type ScaleEffort = {
  readonly rounds: number
  readonly running: number
  readonly isolated: number
  readonly finished: number
}

/**
 * What a supervisor costs that finds many tasks: those that an earlier one left running, and those that ended
 * long ago.
 */
export async function measureScale(
  stateRoot: string,
  { rounds, running, isolated, finished }: ScaleEffort,
  progress: (text: string) => void,
): Promise<ScaleRow[]> {
  const rows: ScaleRow[] = []
  const root = process.platform === 'linux' && process.geteuid?.() === 0
  const ways = root
    ? ([
        ['basic', running],
        ['linux', isolated],
      ] as const)
    : ([['basic', running]] as const)
  for (const [platform, tasks] of ways) {
    const name = `running, ${platform === 'linux' ? 'isolated' : 'basic'}`
    progress(`${tasks} tasks ${name}`)
    rows.push(await withStateDir(stateRoot, dir => reopenRunning(name, dir, platform, tasks, rounds)))
  }
  progress(`${finished} finished tasks`)
  rows.push(await withStateDir(stateRoot, dir => openFinished('finished', dir, finished, rounds)))
  return rows
}

async function reopenRunning(
  name: string,
  stateDir: string,
  platform: string,
  tasks: number,
  rounds: number,
): Promise<ScaleRow> {
  await startAndLeave(stateDir, platform, tasks)
  try {
    const row = await rowOf(name, stateDir, tasks, rounds)
    return { ...row, psMs: null }
  } finally {
    await ask<Reopened>('stop', stateDir)
  }
}

async function openFinished(
  name: string,
  stateDir: string,
  tasks: number,
  rounds: number,
): Promise<ScaleRow> {
  await startAndLeave(stateDir, 'basic', 1)
  await ask<Reopened>('stop', stateDir)
  multiply(join(stateDir, 'tasks'), tasks)
  const row = await rowOf(name, stateDir, tasks, rounds)
  const psMs: number[] = []
  for (let round = 0; round < rounds; round++) psMs.push(await listMs(stateDir, tasks))
  return { ...row, psMs: median(psMs) }
}

/** The supervisor is killed as it stands: nothing is tidied up, nothing is handed over. */
async function startAndLeave(stateDir: string, platform: string, tasks: number): Promise<void> {
  const supervisor = startChild('start', stateDir, platform, String(tasks))
  const left = once(supervisor, 'exit')
  await answerOf(supervisor)
  supervisor.kill('SIGKILL')
  await left
  // Its spawner ends by itself, and should not be measured.
  await sleep(500)
}

async function rowOf(name: string, stateDir: string, tasks: number, rounds: number): Promise<ScaleRow> {
  const opened: Reopened[] = []
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const bare = await ask<Read>('read', stateDir)
    const found = await ask<Reopened>('open', stateDir)
    if (found.tasks !== tasks) throw new Error(`${found.tasks} of ${tasks} tasks were found`)
    opened.push(found)
    ratios.push(found.cpuMs / bare.cpuMs)
  }
  const middle = (pick: (one: Reopened) => number): number => median(opened.map(pick))
  return {
    name,
    tasks,
    milliseconds: middle(({ milliseconds }) => milliseconds),
    cpuMs: middle(({ cpuMs }) => cpuMs),
    cpuRatio: median(ratios),
    gapMs: middle(({ gapMs }) => gapMs),
    heapKibPerTask: middle(({ heapBytes }) => heapBytes) / 1024 / tasks,
    rssMib: middle(({ rssBytes }) => rssBytes) / 1024 / 1024,
    descriptorsPerTask: middle(({ descriptors }) => descriptors) / tasks,
    psMs: null,
  }
}

/** Copies of the one task that has really run: consistent, and made in a moment. */
function multiply(tasksDirectory: string, count: number): void {
  const [key = ''] = readdirSync(tasksDirectory)
  const original = join(tasksDirectory, key)
  const names = readdirSync(original).filter(name => name.endsWith('.json'))
  const texts = names.map(name => [name, readFileSync(join(original, name), 'utf8')] as const)
  for (let copy = 1; copy < count; copy++) {
    // A key is 14 characters of base 36; this one has run, so its copies are older.
    const copyKey = copy.toString(36).padStart(14, '0')
    mkdirSync(join(tasksDirectory, copyKey), { mode: 0o700 })
    for (const [name, text] of texts)
      writeFileSync(join(tasksDirectory, copyKey, name), text.replaceAll(key, copyKey), { mode: 0o600 })
  }
}

const commandLine = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url))

async function listMs(stateDir: string, tasks: number): Promise<number> {
  const began = performance.now()
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [commandLine, 'ps', '--all', '--json', '--state-dir', stateDir],
    { maxBuffer: 2 ** 30 },
  )
  const ended = performance.now()
  const listed = (JSON.parse(stdout) as { tasks: unknown[] }).tasks.length
  if (listed !== tasks) throw new Error(`ps listed ${listed} of ${tasks} tasks`)
  return ended - began
}

async function ask<Answer>(role: string, stateDir: string): Promise<Answer> {
  const child = startChild(role, stateDir)
  const ended = once(child, 'exit')
  const answer = (await answerOf(child)) as Answer
  await ended
  return answer
}

function startChild(...args: string[]): ChildProcess {
  const program = fileURLToPath(new URL('scale-child.ts', import.meta.url))
  return fork(program, args, { execArgv: [...process.execArgv, '--expose-gc'] })
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const failed = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the process that was measured ended early (${signal ?? code})`)
  })
  const [answer] = (await Promise.race([once(child, 'message'), failed])) as [unknown]
  failed.catch(() => {})
  return answer
}

async function withStateDir<Value>(root: string, use: (dir: string) => Promise<Value>): Promise<Value> {
  const dir = mkdtempSync(join(root, 'holdfast-bench-'))
  try {
    return await use(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
