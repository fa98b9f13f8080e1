import { existsSync } from 'node:fs'
import type { Supervisor } from '../src/index.ts'
import { setCommand } from './library.ts'
import { endedWell, littleEnvironment } from './peers/child.ts'
import { ranWell, timed, type Way } from './way.ts'

/** The shortest program of each interpreter that every task can see: what is most often run, after `true`. */
export function oneLiners(supervisor: Supervisor): Way[] {
  return interpreters
    .filter(([program]) => existsSync(program))
    .flatMap(([program, ...args]) => {
      const line = [program.slice(program.lastIndexOf('/') + 1), ...args].join(' ')
      const bare = `child_process.spawn, ${line}`
      return [
        {
          ...{ name: bare, base: bare, times: 2 },
          run: () => timed(() => endedWell(program, args, littleEnvironment)),
        },
        { name: `holdfast, ${line}`, base: bare, times: 2, run: () => start(supervisor, program, args) },
      ]
    })
}

const interpreters = [
  ['/usr/bin/python3', '-c', 'pass'],
  ['/usr/bin/node', '-e', '0'],
] as const

async function start(supervisor: Supervisor, program: string, args: readonly string[]): Promise<number> {
  const task = supervisor.executor()
  setCommand(task, program, args)
  const took = await timed(() => ranWell(task, program))
  await task.destroy()
  return took
}
