import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { Supervisor } from '../../src/index.ts'
import { compiled } from '../support/compiled.ts'

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

export type Started = {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Standard output so far. */
  seen(): string
  /** Resolves once standard output holds the text; rejects when the program has ended without. */
  readonly printed: (text: string) => Promise<void>
}

/** Starts the real program, without a terminal. */
export function start(
  stateDir: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  stdin: 'ignore' | 'pipe' = 'ignore',
): Started {
  const child = spawn(process.execPath, [compiled('src/cli/main.ts'), '--state-dir', stateDir, ...args], {
    stdio: [stdin, 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>
  const seen = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      seen[name] += text
    })
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...seen }))
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (seen.stdout.includes(text)) resolve()
      }
      look()
      child.stdout.on('data', look)
      ended.then(
        ({ stdout, stderr }) => reject(new Error(`ended without ${text}: ${stdout}${stderr}`)),
        reject,
      )
    })
  return { child, ended, seen: () => seen.stdout, printed }
}

/** Runs the real program to its end. */
export function holdfast(stateDir: string, ...args: readonly string[]): Promise<Ended> {
  return start(stateDir, args).ended
}

/** Leaves no task of a state directory behind, whatever a test did. */
export async function destroyAll(stateDir: string): Promise<void> {
  const supervisor = new Supervisor({ stateDir })
  await supervisor.openAll()
  await Promise.all([...supervisor.tasks.values()].map(task => task.destroy()))
  await supervisor.close()
}
