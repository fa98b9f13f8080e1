import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { HoldfastError } from '../errors.ts'

/** Where tasks are recorded unless told otherwise: HOLDFAST_STATE_DIR, /var/lib/holdfast as root, else $XDG_STATE_HOME/holdfast; on Windows %LOCALAPPDATA%\\holdfast. */
export function defaultStateDir(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): string {
  if (env.HOLDFAST_STATE_DIR) return resolve(env.HOLDFAST_STATE_DIR)
  if (process.platform === 'win32')
    return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'holdfast')
  if (uid === 0) return '/var/lib/holdfast'
  // The XDG base directory specification: a relative path is to be ignored.
  const stateHome = env.XDG_STATE_HOME?.startsWith('/') ? env.XDG_STATE_HOME : join(home(), '.local', 'state')
  return join(stateHome, 'holdfast')
}

/** Without HOME it is looked up by the user's number, which need not be in any list of users (a container's usually is not). */
function home(): string {
  try {
    return homedir()
  } catch (error) {
    throw new HoldfastError(
      'UNSUPPORTED',
      'stateDir: there is no default, for this user has no home directory',
      {
        cause: error,
        hint: 'Set HOME or HOLDFAST_STATE_DIR, or give --state-dir or the stateDir option.',
      },
    )
  }
}
