import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Skipped } from './contender.ts'
import { Supervisor, setCommand } from './library.ts'
import { nameOf, pssKib, treeOf } from './processes.ts'
import { sleepingBubblewraps, sleepingCruns } from './sleeping-peers.ts'

export const sleepers = 50

export type MemoryRow = {
  readonly name: string
  /** Proportional set size of all processes but the sleeping program itself, per task. */
  readonly kibPerTask: number
  readonly processesPerTask: number
}

/** What it costs to keep a task: 50 that sleep, and what lives for their sake. */
export async function measureMemory(
  stateRoot: string,
  progress: (text: string) => void,
): Promise<{ rows: MemoryRow[]; skipped: Skipped[] }> {
  const rows: MemoryRow[] = []
  const skipped: Skipped[] = []
  const ways = process.geteuid?.() === 0 ? (['linux', 'basic'] as const) : (['basic'] as const)
  for (const platform of ways) {
    const name = platform === 'linux' ? 'holdfast isolated' : 'holdfast basic'
    progress(`memory of ${sleepers} sleeping tasks: ${name}`)
    rows.push(rowOf(name, await sleepingTasks(platform, stateRoot)))
  }
  for (const measure of [sleepingBubblewraps, sleepingCruns]) {
    const sum = await measure(sleepers)
    if ('reason' in sum) skipped.push(sum)
    else rows.push(rowOf(sum.name, sum))
  }
  return { rows, skipped }
}

type Sum = { readonly kib: number; readonly processes: number }

/**
 * The shims, and the first processes of the tasks' pid namespaces; the spawner is shared and is not counted.
 */
async function sleepingTasks(platform: 'basic' | 'linux', stateRoot: string): Promise<Sum> {
  const stateDir = mkdtempSync(join(stateRoot, 'holdfast-bench-'))
  const supervisor = new Supervisor({ stateDir })
  try {
    for (let task = 0; task < sleepers; task++) {
      const executor = supervisor.executor(platform)
      setCommand(executor, '/bin/sleep', ['600'])
      await executor.start()
    }
    return sumOf(
      [...supervisor.tasks.keys()].flatMap(key => keepersOf(join(stateDir, 'tasks', key, 'start.json'))),
    )
  } finally {
    await Promise.all([...supervisor.tasks.values()].map(task => task.forceStop().then(() => task.destroy())))
    await supervisor.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

function keepersOf(startRecord: string): number[] {
  const { shim, task } = JSON.parse(readFileSync(startRecord, 'utf8')) as Record<
    'shim' | 'task',
    { pid: number }
  >
  return treeOf(shim.pid).filter(pid => pid !== task.pid && nameOf(pid) !== 'sleep')
}

function sumOf(pids: readonly number[]): Sum {
  return { kib: pids.reduce((sum, pid) => sum + pssKib(pid), 0), processes: pids.length }
}

function rowOf(name: string, { kib, processes }: Sum): MemoryRow {
  return { name, kibPerTask: kib / sleepers, processesPerTask: processes / sleepers }
}
