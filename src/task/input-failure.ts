import type { Failure } from '../../machines/index.ts'

/** A stream as standard input that has failed half way, as a result tells of it. */
export function inputFailure(error: Error): Failure {
  const { code } = error as NodeJS.ErrnoException
  return {
    code: 'LOST',
    message: `the stream that is the task's standard input ended before its end, and the task was stopped: ${error.message}`,
    stage: 'stdin',
    ...(code !== undefined && { errno: code }),
    hint: 'What the task has done with the first part of its input is done. Mend the stream (its `error` says what it was), and start the task again.',
  }
}
