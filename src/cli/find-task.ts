import { HoldfastError } from '../errors.ts'
import type { Executor, Supervisor } from '../index.ts'

export type FoundTask = { readonly key: string; readonly name: string; readonly task: Executor }

/**
 * The task that a word of the command line means. In this order: a whole key, the running task of that name,
 * the newest ended task of that name, the beginning of a key. Two running tasks of one name are refused, and
 * so is a beginning that fits several keys: a guess could stop the wrong one.
 * Rejects NOT_FOUND, INVALID_ARGUMENT listing the candidates, STATE_CORRUPT.
 */
export async function findTask(supervisor: Supervisor, word: string): Promise<FoundTask> {
  const { quarantined } = await supervisor.openAll()
  return chooseTask(supervisor, word, quarantined)
}

/** The same among the tasks that openAll() has taken over: for several words at once. */
export function chooseTask(
  supervisor: Supervisor,
  word: string,
  quarantined: readonly { readonly key: string; readonly error: HoldfastError }[],
): FoundTask {
  const unusable = quarantined.find(({ key }) => key === word)
  if (unusable !== undefined) throw unusable.error
  const tasks = [...supervisor.tasks].map(([key, task]) => ({ key, name: task.name, task }))
  const found =
    tasks.find(({ key }) => key === word) ?? namedTask(tasks, word) ?? only(tasks.filter(begins(word)), word)
  if (found === undefined) throw notFound(supervisor, word)
  return found
}

function namedTask(tasks: readonly FoundTask[], word: string): FoundTask | undefined {
  const named = tasks.filter(({ name }) => name === word)
  const running = named.filter(({ task }) => task.state !== 'exited')
  if (running.length > 0) return only(running, word)
  // Keys begin with the time at which they were made.
  return named.reduce<FoundTask | undefined>(
    (newest, task) => (newest === undefined || task.key > newest.key ? task : newest),
    undefined,
  )
}

function begins(word: string): (task: FoundTask) => boolean {
  return ({ key }) => word !== '' && key.startsWith(word)
}

function only(candidates: readonly FoundTask[], word: string): FoundTask | undefined {
  if (candidates.length > 1) throw ambiguous(word, candidates)
  return candidates[0]
}

function notFound({ stateDir }: Supervisor, word: string): HoldfastError {
  return new HoldfastError('NOT_FOUND', `there is no task ${JSON.stringify(word)} in ${stateDir}`, {
    path: stateDir,
    hint: '`holdfast ps --all` lists what is there; --state-dir chooses another directory.',
  })
}

const maxShown = 8

function ambiguous(word: string, candidates: readonly FoundTask[]): HoldfastError {
  const list = candidates.slice(0, maxShown).map(({ key, name, task }) => `${key} (${name}, ${task.state})`)
  const more = candidates.length > maxShown ? `, and ${candidates.length - maxShown} more` : ''
  return new HoldfastError(
    'INVALID_ARGUMENT',
    `TASK: ${JSON.stringify(word)} matches ${candidates.length} tasks`,
    { hint: `Give the key of one: ${list.join(', ')}${more}` },
  )
}
