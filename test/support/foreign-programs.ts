import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * On Windows: the directory with `sh.exe`, `seq.exe` and the like, each Node's own program, and what makes
 * them that (test/windows/box).
 */
const place = process.platform === 'win32' ? (process.env.HOLDFAST_TEST_PROGRAMS ?? '') : null

/** The command of a Unix program as this system has it. What is none, or is not there, stays as it is. */
export function programOf(path: string, args: readonly string[]): readonly [string, ...string[]] {
  const [, name = ''] = /^(?:\/usr)?\/bin\/(\w+)$/.exec(path) ?? []
  if (place === null || name === '') return [path, ...args]
  const program = join(place, `${name}.exe`)
  return existsSync(program) ? [program, join(place, 'box.mjs'), name, ...args] : [path, ...args]
}

/**
 * Of the tasks with these keys: who of their processes lives. Each has left its pid
 * (test/windows/box/box.ts); null where those are not asked.
 */
export function foreignProcesses(keys: readonly string[]): number[] | null {
  if (place === null) return null
  return readdirSync(join(place, 'pids'))
    .filter(name => keys.some(key => name.startsWith(`${key}-`)))
    .map(name => Number(name.split('-')[1]))
    .filter(isAlive)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
