import { HoldfastError } from '../errors.ts'
import type { OverlayFailure } from '../spawn/overlay.ts'

/** As many as a message names. */
const named = 10

/** What the host has changed meanwhile in files that the task has changed, too. */
export function overlayConflict(workspace: string, paths: readonly string[]): HoldfastError {
  const rest = paths.length > named ? `, and ${paths.length - named} more` : ''
  const list = paths.slice(0, named).join(', ')
  return new HoldfastError(
    'INVALID_STATE',
    `apply() is refused, and nothing was put in place: in ${workspace} these have changed since the task began: ${list}${rest}`,
    { path: workspace, hint: 'compare them, then force: true (--force) takes what the task has' },
  )
}

/** What could not be told, or put in place. */
export function overlayFailure({ step, errno, path }: OverlayFailure, workspace: string): HoldfastError {
  const at = path === '' ? workspace : `${workspace}/${path}`
  const isDenied = ['EACCES', 'EPERM', 'EROFS'].includes(errno)
  const { words, hint } = said(step, errno)
  return new HoldfastError(isDenied ? 'PERMISSION' : 'INVALID_STATE', `workspace: ${at} ${words}`, {
    ...{ stage: 'overlay', errno, path: at },
    ...(hint !== null && { hint }),
  })
}

function said(step: string, errno: string): { readonly words: string; readonly hint: string | null } {
  switch (step) {
    case 'workspace':
      return errno === 'ESTALE'
        ? {
            words: "is another directory than the task had, or another user's by now",
            hint: 'force: true (--force) applies to it what the task has changed in the other',
          }
        : { words: `cannot be reached: ${errno}`, hint: 'run it as the user who has started the task' }
    case 'depth':
      return { words: 'lies deeper than 200 directories', hint: 'nothing of it is put in place' }
    case 'conflict':
      return {
        words: 'has changed while the changes were put in place; what came before it is there',
        hint: again,
      }
    case 'write':
    case 'remove':
    case 'sync':
      return { words: `could not be put in place: ${errno}; what came before it is there`, hint: again }
    case 'output':
      return { words: 'has more changes than can be told', hint: null }
    default:
      return { words: `could not be compared (${step}: ${errno})`, hint: null }
  }
}

const again = 'mend it and call apply() again: what is in place already is no change any more'
