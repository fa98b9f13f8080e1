import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Supervisor, setCommand } from './library.ts'
import { endedWell } from './peers/child.ts'
import { ranWell, timed, type Way } from './way.ts'

const count = 100

/** As many starts at once, the first that a supervisor is asked for: its spawner is started meanwhile. */
export function atOnce(stateRoot: string): Way[] {
  const bare = `child_process.spawn, ${count} at once`
  const each = (action: () => Promise<void>) =>
    timed(() => Promise.all(Array.from({ length: count }, action)))
  return [
    { name: bare, base: bare, times: 1, run: () => each(() => endedWell('/bin/true', [])) },
    {
      ...{ name: `holdfast, ${count} at once from cold`, base: bare, times: 1 },
      async run() {
        const stateDir = mkdtempSync(join(stateRoot, 'holdfast-bench-at-once-'))
        const supervisor = new Supervisor({ stateDir })
        try {
          return await each(async () => {
            const task = supervisor.executor()
            setCommand(task, '/bin/true', [])
            await ranWell(task, 'true')
          })
        } finally {
          await Promise.all([...supervisor.tasks.values()].map(task => task.destroy()))
          await supervisor.close()
          rmSync(stateDir, { recursive: true, force: true })
        }
      },
    },
  ]
}
