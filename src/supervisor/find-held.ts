import type { Executor } from '../api.ts'
import { invalidArgument } from '../invalid-argument.ts'

/**
 * Of the tasks of that name, or of those that pass: the newest that has not ended, else the newest. Throws
 * INVALID_ARGUMENT.
 */
export function findHeld<Task extends Executor>(
  tasks: Iterable<Task>,
  which: string | ((task: Task) => boolean),
): Task | undefined {
  const passes = typeof which === 'string' ? ({ name }: Task) => name === which : which
  if (typeof passes !== 'function')
    throw invalidArgument('find: which', which, "a task's name, or a function")
  let found: Task | undefined
  for (const task of tasks) if (passes(task) && (found === undefined || isBefore(task, found))) found = task
  return found
}

/** Keys begin with the time at which they were made. */
function isBefore(task: Executor, other: Executor): boolean {
  const [ended, otherEnded] = [task, other].map(({ state }) => state === 'exited')
  return ended === otherEnded ? task.key > other.key : otherEnded === true
}
