import { HoldfastError } from '../errors.ts'
import type { StateDirectory } from '../task/task-directory.ts'
import type { TaskExecutor } from '../task/task-executor.ts'
import { Turn } from './turn.ts'

export type OpenReport = {
  /** Keys of tasks that go on. */
  resumed: string[]
  /** Keys of tasks that have ended, with a result that is known. */
  exited: string[]
  /** Keys of tasks that have ended in a way nobody knows. */
  lost: string[]
  /** What was found and cannot be used; the files are left as they are. */
  quarantined: { key: string; error: HoldfastError }[]
}

export async function openAll(
  state: StateDirectory,
  held: (key: string) => TaskExecutor | undefined,
  make: () => TaskExecutor,
  gone: (listed: ReadonlySet<string>) => void = () => {},
): Promise<OpenReport> {
  const report: OpenReport = { resumed: [], exited: [], lost: [], quarantined: [] }
  const turn = new Turn()
  const keys = state.list()
  gone(new Set(keys))
  for (const key of keys) {
    await turn.share()
    try {
      const task = held(key) ?? make()
      if (held(key) === undefined) await task.reopen(key)
      const { outcome } = task
      report[outcome === null ? 'resumed' : outcome.cause === 'lost' ? 'lost' : 'exited'].push(key)
    } catch (error) {
      // Removed by another process between the listing and the look.
      if (isGone(error)) continue
      report.quarantined.push({ key, error: confined(error, state.taskDirectory(key)) })
    }
  }
  return report
}

function isGone(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'NOT_FOUND'
}

/** Whatever is wrong with one task is its own trouble: no other is left out for it. */
function confined(error: unknown, dir: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  const { code, message } = error as NodeJS.ErrnoException
  return new HoldfastError('STATE_CORRUPT', `the stored task cannot be used: ${message}`, {
    errno: code,
    path: dir,
    cause: error,
  })
}
