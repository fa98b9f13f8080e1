import { HoldfastError } from '../errors.ts'

const forbidden = new Set(['EACCES', 'EPERM', 'EROFS'])

/** A file system error as a HoldfastError that says what was being done, and to what. */
export function fileFailure(error: unknown, doing: string, path: string, hint?: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  const errno = errnoOf(error) ?? 'EIO'
  const code = forbidden.has(errno) ? 'PERMISSION' : 'INVALID_STATE'
  return new HoldfastError(code, `cannot ${doing} ${path}: ${errno}`, { errno, path, hint, cause: error })
}

/** The errno's name of a Node.js system error. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return typeof code === 'string' ? code : undefined
}
