import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { compiled } from '../compiled.ts'

export type Death =
  /** By its own hand, at a crash point, `name` or `name:n`. */
  | { readonly fault: string }
  /** From outside, so many milliseconds after it has begun. */
  | { readonly afterMs: number }

export type Life = {
  readonly mode: 'begin' | 'resume'
  readonly platform: string
  readonly stateDir: string
  readonly journal: string
  readonly death: Death
}

/**
 * Runs a supervisor until it has died as it should. Rejects when it has not come to that, or has died of
 * something else.
 */
export async function live({ mode, platform, stateDir, journal, death }: Life): Promise<void> {
  const child = spawn(
    process.execPath,
    [compiled('test/fixtures/programs/crash.ts'), mode, platform, stateDir, journal],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, ...('fault' in death && { HOLDFAST_FAULT: death.fault }) },
    },
  )
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const said = listen(child)
  await said.until('up')
  // A supervisor that has nothing more to do will not come to its crash point any more.
  const killed = 'fault' in death ? said.until('idle').then(() => 'idle') : sleep(death.afterMs)
  const first = await Promise.race([closed.then(() => 'dead'), killed])
  if (first !== 'dead') child.kill('SIGKILL')
  const [code, signal] = await closed
  if (signal !== 'SIGKILL') throw new Error(`the supervisor ended with ${code ?? signal}: ${said.errors()}`)
  if (first === 'idle') throw new Error(`the supervisor never came to ${JSON.stringify(death)}`)
}

function listen(child: ChildProcess) {
  let output = ''
  let errors = ''
  const looks = new Set<() => void>()
  const look = () => {
    for (const each of looks) each()
  }
  child.stdout?.on('data', chunk => {
    output += String(chunk)
    look()
  })
  child.stderr?.on('data', chunk => {
    errors += String(chunk)
  })
  child.once('close', look)
  return {
    errors: () => errors,
    /** Until it has said so, or can say nothing any more; then whoever waits for its end is told why. */
    until: (word: string) =>
      new Promise<void>(resolve => {
        const check = () => {
          const over = child.exitCode !== null || child.signalCode !== null
          if (output.includes(`${word}\n`) || (over && word === 'up')) resolve()
        }
        looks.add(check)
        check()
      }),
  }
}

function sleep(ms: number): Promise<string> {
  return new Promise(resolve => setTimeout(() => resolve('time'), ms))
}
