import { existsSync } from 'node:fs'
import { randomHex } from '../../random.ts'
import { lookPath } from '../../command/lookup.ts'
import { readText } from '../../if-there.ts'
import type { Scope, ScopedStart } from '../../spawn/scope.ts'

/**
 * Whose units: `system` is PID 1's, for root; `user` is those of `systemd --user`, for everybody else. Both
 * make the same scope, owned by whoever asked.
 */
type Bus = 'system' | 'user'

export type ScopeSources = {
  readonly root?: string
  readonly proc?: string
  readonly env?: NodeJS.ProcessEnv
  /** Effective user id; undefined where there is none. */
  readonly uid?: number | undefined
}

/**
 * A transient scope with a delegated subtree (systemd.resource-control(5), Delegate=) for one spawner:
 * `systemd-run --scope` makes it over D-Bus, waits for the job, and becomes the program. So no process of
 * ours is ever in a cgroup that systemd may kill or write to behind our back: neither a stop of the
 * supervisor's unit (KillMode=control-group) nor `daemon-reload` reaches the tasks, whose cgroups are below
 * this one. When the last process is gone, so is the scope.
 *
 * Null where no service manager runs for this user: then nothing is touched. Throws nothing.
 */
export function delegatedScope(
  program: string,
  args: readonly string[],
  sources: ScopeSources = {},
): ScopedStart | null {
  const manager = serviceManager(sources)
  return manager === null ? null : scopedStart(manager, program, args, sources)
}

type Manager = { readonly bus: Bus; readonly runtime: string }

/**
 * sd_booted(3): the directory is there exactly when systemd is PID 1. The user's manager listens in its own
 * runtime directory.
 */
export function serviceManager({
  root = '',
  env = process.env,
  uid = process.geteuid?.(),
}: ScopeSources = {}): Manager | null {
  if (process.platform !== 'linux' || uid === undefined || !existsSync(`${root}/run/systemd/system`))
    return null
  if (uid === 0) return { bus: 'system', runtime: `${root}/run` }
  // Without a login (cron, su) the variable is missing, and a lingering user's manager runs all the same.
  const runtime = env.XDG_RUNTIME_DIR ?? `${root}/run/user/${uid}`
  return existsSync(`${runtime}/systemd/private`) ? { bus: 'user', runtime } : null
}

function scopedStart(
  { bus, runtime }: Manager,
  program: string,
  args: readonly string[],
  { proc = '/proc', env = process.env }: ScopeSources,
): ScopedStart {
  const unit = `holdfast-${process.pid}-${randomHex(4)}.scope`
  const slice = bus === 'system' ? ownSlice(proc) : null
  const options = [
    ...[bus === 'system' ? '--system' : '--user', '--scope', '--quiet', `--unit=${unit}`],
    // A scope whose task was killed for memory is no failed unit that somebody has to reset.
    ...['--collect', '--property=Delegate=yes', `--description=Tasks of holdfast supervisor ${process.pid}`],
    ...(slice === null ? [] : [`--slice=${slice}`]),
  ]
  return {
    command: [systemdRun(env), ...options, '--', program, ...args],
    env: bus === 'user' ? { XDG_RUNTIME_DIR: runtime } : {},
    verify: pid => verify(unit, pid, { transient: `${runtime}/systemd/transient`, proc }),
  }
}

function systemdRun(env: NodeJS.ProcessEnv): string {
  try {
    return lookPath('systemd-run', env.PATH)
  } catch {
    // Its absence is told by the start, as any other failure of it.
    return '/usr/bin/systemd-run'
  }
}

/**
 * An administrator who put the supervisor's unit into a slice of its own meant its tasks too. Not so a
 * login's slice, which ends with the login.
 */
function ownSlice(proc: string): string | null {
  const path = unifiedPath(proc, 'self') ?? ''
  const slice = path.split('/').findLast(name => name.endsWith('.slice'))
  return slice === undefined || /^(user|system|machine)\b/.test(slice) ? null : slice
}

/**
 * A scope may be gone again at birth though the job is said to be done (systemd#36781): then its unit file
 * is, too.
 */
function verify(unit: string, pid: number, at: { transient: string; proc: string }): Scope {
  const cgroups = readText(`${at.proc}/${pid}/cgroup`)
  const inside = cgroups.split('\n').some(line => line.split('/').includes(unit))
  if (inside && existsSync(`${at.transient}/${unit}`))
    return { unit, path: unifiedPath(at.proc, String(pid)) }
  const reason = inside ? `systemd gave up ${unit} at once` : `systemd did not put the spawner into ${unit}`
  return { reason, hint: `journalctl -b UNIT=${unit}` }
}

/** The `0::` line: the path in the cgroup2 hierarchy; null on a host that has none. */
function unifiedPath(proc: string, pid: string): string | null {
  const line = readText(`${proc}/${pid}/cgroup`)
    .split('\n')
    .find(entry => entry.startsWith('0::'))
  return line === undefined ? null : line.slice(3)
}
