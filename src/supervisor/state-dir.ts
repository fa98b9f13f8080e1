import { homedir, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { absolute } from '../working-directory.ts'

/**
 * Where tasks are recorded unless told otherwise: HOLDFAST_STATE_DIR, /var/lib/holdfast as root, else
 * $XDG_STATE_HOME/holdfast; on Windows %LOCALAPPDATA%\\holdfast.
 */
export function defaultStateDir(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): string {
  if (env.HOLDFAST_STATE_DIR) return absolute(env.HOLDFAST_STATE_DIR, 'HOLDFAST_STATE_DIR')
  if (process.platform === 'win32')
    return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'holdfast')
  if (uid === 0) return '/var/lib/holdfast'
  // The XDG base directory specification: a relative path is to be ignored.
  const stateHome = env.XDG_STATE_HOME?.startsWith('/')
    ? env.XDG_STATE_HOME
    : join(home(env), '.local', 'state')
  return join(stateHome, 'holdfast')
}

/**
 * Without HOME, or with one that leads nowhere, it is looked up by the user's number, which need not be in
 * any list of users (a container's usually is not).
 */
function home(env: NodeJS.ProcessEnv): string {
  if (env.HOME !== undefined && isAbsolute(env.HOME)) return env.HOME
  const found = listedHome()
  if (isAbsolute(found.path)) return found.path
  throw new HoldfastError(
    'UNSUPPORTED',
    'stateDir: there is no default, for this user has no home directory',
    {
      cause: found.error,
      hint: 'Set HOME to an absolute path, or HOLDFAST_STATE_DIR, or give --state-dir or the stateDir option.',
    },
  )
}

function listedHome(): { readonly path: string; readonly error?: unknown } {
  try {
    return { path: userInfo().homedir }
  } catch (error) {
    return { path: '', error }
  }
}
