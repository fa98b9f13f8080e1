import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { HoldfastError } from '../errors.ts'

/**
 * spawn(), of which every failure has the same words: some errnos it throws (ENOMEM, what Node's permission model refuses), some come as an event, for
 * which there is a listener from the first moment. Throws PERMISSION or START_FAILED, stage `spawner`.
 */
export function startProcess(file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(file, args, options).on('error', () => {})
  } catch (error) {
    throw spawnFailed(error)
  }
}

export function spawnFailed(cause: unknown): HoldfastError {
  const { code, message } = (cause ?? {}) as NodeJS.ErrnoException
  const refused = code === 'ERR_ACCESS_DENIED'
  return new HoldfastError(
    refused ? 'PERMISSION' : 'START_FAILED',
    `the process that starts tasks could not be started: ${refused ? "Node's permission model forbids it" : (code ?? message ?? String(cause))}`,
    { stage: 'spawner', errno: refused ? undefined : code, cause, hint: hints[code ?? ''] },
  )
}

const hints: Record<string, string> = {
  EMFILE: 'This process has too many open files; close some or raise `ulimit -n`.',
  ENFILE: 'The system has too many open files; raise fs.file-max.',
  EAGAIN: 'No more processes are allowed; raise `ulimit -u` or the pids limit of this cgroup.',
  ENOMEM: 'Not enough memory to fork this process; free some or start tasks earlier.',
  ERR_ACCESS_DENIED: 'Start this program with --allow-child-process beside --permission.',
}
