import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The shim's pid and the task's own directory on the host. */
export function parseStartRecord(
  stateDir: string,
  key: string,
): { shim: number; task: number; local: string } {
  const record = JSON.parse(readFileSync(join(stateDir, 'tasks', key, 'start.json'), 'utf8')) as {
    shim: { pid: number }
    task: { pid: number }
  }
  const alloc = join(stateDir, 'allocs', key)
  const [name = ''] = readdirSync(alloc).filter(entry => entry !== 'alloc')
  return { shim: record.shim.pid, task: record.task.pid, local: join(alloc, name, 'local') }
}
