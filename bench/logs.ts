import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Supervisor, setCommand } from './library.ts'
import { ratios, type Summary, summary } from './statistics.ts'

const logBytes = 512 * 1024 * 1024

export type LogRow = { readonly name: string; readonly cpuMs: Summary; readonly cpuRatio: Summary }

/**
 * CPU time of task and shim together for a task that writes half a GiB as fast as it can. It depends on
 * whether the two have a processor each: then they wake each other all the time, where on a machine that is
 * busy they take turns, and the ratio is lower. In memory where there is such a file system, because a disk's
 * is another question, and so that all the figures of a run are of the same kind; the removal of old files is
 * the shim's.
 */
export async function measureLogs(
  stateRoot: string,
  rounds: number,
  progress: (text: string) => void,
): Promise<LogRow[]> {
  if (process.platform !== 'linux') return []
  const plain: number[] = []
  const rotated: number[] = []
  const carried: number[] = []
  const toFifo: number[] = []
  const collected: number[] = []
  for (let round = 0; round < rounds; round++) {
    progress(`logs: round ${round + 1} of ${rounds}`)
    plain.push(await cpuOfWriting(stateRoot, null))
    carried.push(await cpuOfWriting(stateRoot, 2 * logBytes))
    rotated.push(await cpuOfWriting(stateRoot, 16 * 1024 * 1024))
    toFifo.push(await cpuOfWriting(stateRoot, null, 'plain'))
    collected.push(await cpuOfWriting(stateRoot, null, 'collected'))
  }
  return [
    { name: 'straight to a file', cpuMs: summary(plain), cpuRatio: summary(ratios(plain, plain)) },
    {
      name: 'pumped, not yet rotated',
      cpuMs: summary(carried),
      cpuRatio: summary(ratios(carried, plain)),
    },
    { name: 'rotated at 16 MiB', cpuMs: summary(rotated), cpuRatio: summary(ratios(rotated, plain)) },
    { name: 'straight to a FIFO', cpuMs: summary(toFifo), cpuRatio: summary(ratios(toFifo, plain)) },
    { name: 'collected into it', cpuMs: summary(collected), cpuRatio: summary(ratios(collected, plain)) },
  ]
}

/** One that is read, as a collector does, and thrown away. Its reader ends with the last writer. */
function readFifo(directory: string): string {
  const fifo = join(directory, 'fifo')
  execFileSync('mkfifo', [fifo])
  spawn('cat', [fifo], { stdio: 'ignore' })
  return fifo
}

/** Milliseconds. A spawner of its own each time: what it has reaped is the shim and, in it, the task. */
async function cpuOfWriting(
  stateRoot: string,
  maxBytes: number | null,
  fifo?: 'plain' | 'collected',
): Promise<number> {
  const stateDir = mkdtempSync(join(stateRoot, 'holdfast-bench-'))
  const supervisor = new Supervisor({ stateDir, durability: 'process' })
  try {
    const before = await reapedCpuMs(supervisor, stateDir)
    const task = supervisor.executor('basic')
    setCommand(task, '/usr/bin/head', ['-c', String(logBytes), '/dev/zero'])
    task.command.logs = maxBytes === null ? (fifo ?? 'plain') : { maxBytes, maxFiles: 4 }
    if (fifo !== undefined) task.command.stdout = readFifo(stateDir)
    await task.start()
    const result = await task.wait()
    if (!result.successful) throw new Error(`writing failed: ${JSON.stringify(result)}`)
    await task.destroy()
    return (await reapedCpuMs(supervisor, stateDir)) - before
  } finally {
    await Promise.all([...supervisor.tasks.values()].map(task => task.destroy()))
    await supervisor.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

/**
 * Fields 16 and 17 of /proc/PID/stat (proc_pid_stat(5)), in ticks of 10 ms. A task of no account tells who
 * the spawner is.
 */
async function reapedCpuMs(supervisor: InstanceType<typeof Supervisor>, stateDir: string): Promise<number> {
  const task = supervisor.executor('basic')
  setCommand(task, '/bin/sleep', ['600'])
  await task.start()
  const record = readFileSync(join(stateDir, 'tasks', task.key, 'start.json'), 'utf8')
  const { shim } = JSON.parse(record) as { shim: { pid: number } }
  const spawner = Number(statOf(shim.pid)[1])
  const fields = statOf(spawner)
  await task.destroy()
  return (Number(fields[13]) + Number(fields[14])) * 10
}

/** From the third field on. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}
