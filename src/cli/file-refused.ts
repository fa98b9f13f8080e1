import { HoldfastError } from '../errors.ts'

/** The error for a file that a flag names: names both, and why it `cannot be read`, or `written`. */
export function fileRefused(
  flag: string,
  path: string,
  done: 'read' | 'written',
  error: unknown,
): HoldfastError {
  const { code, message } = error as NodeJS.ErrnoException
  // Node says by which call, and of a file that is opened step by step a name that nobody has typed.
  const reason = message.replace(/, \w+(?: '[^]*')?$/, '')
  const errno = code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : undefined
  return new HoldfastError(
    'INVALID_ARGUMENT',
    `${flag}: ${JSON.stringify(path)} cannot be ${done}: ${reason}`,
    { path, errno },
  )
}
