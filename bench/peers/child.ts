import { type ChildProcess, spawn } from 'node:child_process'

/** Spawned with nothing inherited and nothing piped: the least that Node can do. */
export function spawnBare(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  return spawn(program, args, { stdio: 'ignore', env })
}

/** As little as a task gets: an interpreter does more where the caller's environment asks it to. */
export const littleEnvironment: NodeJS.ProcessEnv = { PATH: process.env.PATH }

/** Resolves when the process has exited with 0. */
export function endedWell(program: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawnBare(program, args, env)
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
