import { HoldfastError } from '../errors.ts'
import { errnoOf, fileFailure } from './failure.ts'

/** Of a whole embed, whatever went wrong on the way. */
export function embedFailure(error: unknown, hostPath: string, path: string): HoldfastError {
  const errno = errnoOf(error)
  if (!(error instanceof HoldfastError) && (errno === 'ENOTDIR' || errno === 'ELOOP')) {
    return new HoldfastError(
      'INVALID_STATE',
      `cannot embed ${hostPath} at ${path}: a component of it is a link or not a directory`,
      {
        errno,
        path,
        hint: 'links in the task directory, and those that appear in a source meanwhile, are never followed; remove it or embed elsewhere',
        cause: error,
      },
    )
  }
  return fileFailure(error, `embed ${hostPath} at`, path)
}

/** A file that cannot be read before its holder gives up its lease. */
export function leased(error: unknown, path: string): HoldfastError {
  return new HoldfastError('INVALID_STATE', `cannot embed ${path}: a program holds a lease on it`, {
    errno: 'EAGAIN',
    path,
    hint: 'end that program (fcntl(2), F_SETLEASE; /proc/locks names it), or leave the file out',
    cause: error,
  })
}
