import { HoldfastError } from '../errors.ts'
import { systemError } from '../system-error.ts'

/** A file system error as a HoldfastError that says what was being done, and to what. */
export function fileFailure(error: unknown, doing: string, path: string, hint?: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  const { errno, denied, words, hint: general } = systemError(error)
  const message = `cannot ${doing} ${path}: ${errno ?? words}`
  const code = denied ? 'PERMISSION' : 'INVALID_STATE'
  return new HoldfastError(code, message, { errno, path, hint: hint ?? general, cause: error })
}

/** The errno's name of a Node.js system error. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return typeof code === 'string' ? code : undefined
}

/** Of a path of the caller's that leads over a link that somebody else may have made. */
export function linkRefused(path: string, link: string, why: string): HoldfastError {
  return new HoldfastError('PERMISSION', `${path} is not followed at ${link}: ${why}`, {
    path: link,
    errno: 'ELOOP',
    hint: 'name the place itself, without a link on the way',
  })
}
