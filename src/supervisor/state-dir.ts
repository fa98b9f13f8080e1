import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where tasks are recorded unless told otherwise: HOLDFAST_STATE_DIR, /var/lib/holdfast as root, else $XDG_STATE_HOME/holdfast. */
export function defaultStateDir(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): string {
  if (env.HOLDFAST_STATE_DIR) return resolve(env.HOLDFAST_STATE_DIR)
  if (uid === 0) return '/var/lib/holdfast'
  // The XDG base directory specification: a relative path is to be ignored.
  const stateHome = env.XDG_STATE_HOME?.startsWith('/')
    ? env.XDG_STATE_HOME
    : join(homedir(), '.local', 'state')
  return join(stateHome, 'holdfast')
}
