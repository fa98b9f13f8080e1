import { type Executor, HoldfastError, type Supervisor } from '../index.ts'

export type FoundTask = { readonly key: string; readonly name: string; readonly task: Executor }

/**
 * The task that a word of the command line means: its key, the beginning of its key, or its name. Never the newest of several:
 * what is ambiguous could stop the wrong one. Rejects NOT_FOUND, INVALID_ARGUMENT listing the candidates, STATE_CORRUPT.
 */
export async function findTask(supervisor: Supervisor, word: string): Promise<FoundTask> {
  const { quarantined } = await supervisor.openAll()
  const unusable = quarantined.find(({ key }) => key === word)
  if (unusable !== undefined) throw unusable.error
  const tasks = [...supervisor.tasks].map(([key, task]) => ({ key, name: task.name, task }))
  const candidates = tasks.filter(({ key, name }) => name === word || (word !== '' && key.startsWith(word)))
  const [only] = tasks.filter(({ key }) => key === word)
  if (only !== undefined) return only
  const [first, second] = candidates
  if (first === undefined) throw notFound(supervisor, word)
  if (second !== undefined) throw ambiguous(word, candidates)
  return first
}

function notFound({ stateDir }: Supervisor, word: string): HoldfastError {
  return new HoldfastError('NOT_FOUND', `there is no task ${JSON.stringify(word)} in ${stateDir}`, {
    path: stateDir,
    hint: '`holdfast ps --all` lists what is there; --state-dir chooses another directory.',
  })
}

const mostShown = 8

function ambiguous(word: string, candidates: readonly FoundTask[]): HoldfastError {
  const list = candidates.slice(0, mostShown).map(({ key, name, task }) => `${key} (${name}, ${task.state})`)
  const more = candidates.length > mostShown ? `, and ${candidates.length - mostShown} more` : ''
  return new HoldfastError(
    'INVALID_ARGUMENT',
    `TASK: ${JSON.stringify(word)} fits ${candidates.length} tasks`,
    {
      hint: `Give the key of one: ${list.join(', ')}${more}`,
    },
  )
}
