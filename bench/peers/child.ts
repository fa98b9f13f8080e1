import { type ChildProcess, spawn } from 'node:child_process'

/** Spawned with nothing inherited and nothing piped: the least that Node can do. */
export function spawnBare(program: string, args: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: 'ignore' })
}

/** Resolves when the process has exited with 0. */
export function endedWell(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawnBare(program, args)
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else
        reject(
          new Error(
            `${program} ended with ${signal ?? code}: run \`${[program, ...args].join(' ')}\` to see why`,
          ),
        )
    })
  })
}
