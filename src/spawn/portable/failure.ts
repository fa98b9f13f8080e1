import { constants } from 'node:os'
import type { ExitRecord } from '../../../machines/index.ts'

/** Marks what fails with the stage of the start that it was. */
export function staged<Value>(stage: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw Object.assign(error as Error, { stage })
  }
}

/** Why there was no start, in the words of the exit record. */
export function failureOf(error: unknown): NonNullable<ExitRecord['failure']> {
  const {
    code,
    errno: reportedErrno = 0,
    syscall,
    message,
    path,
    stage,
  } = error as Omit<NodeJS.ErrnoException, 'errno'> & {
    stage?: string
    // A HoldfastError has it by name.
    errno?: number | string
  }
  const [name, errno] = typeof reportedErrno === 'string' ? [reportedErrno, 0] : [code, reportedErrno]
  return {
    stage: stage ?? (syscall?.startsWith('spawn') ? 'exec' : 'record'),
    // By name where the system has a number for it: on Windows Node's own numbers are others.
    errno: constants.errno[name as keyof typeof constants.errno] ?? Math.abs(errno),
    detail: path ?? message,
  }
}
