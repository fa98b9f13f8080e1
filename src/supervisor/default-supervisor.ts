import type { Executor, RunningTask, RunOptions } from '../api.ts'
import { parseTaskId } from '../task/task-id.ts'
import { Supervisor } from './supervisor.ts'

const supervisors = new Map<string, Supervisor>()

/**
 * Of the package-level functions: one per state directory, so that HOLDFAST_STATE_DIR may change between
 * calls.
 */
function defaultSupervisor(stateDir?: string): Supervisor {
  const fresh = new Supervisor(stateDir === undefined ? {} : { stateDir })
  const known = supervisors.get(fresh.stateDir)
  if (known !== undefined) return known
  supervisors.set(fresh.stateDir, fresh)
  return fresh
}

/** Runs a program as a task: a promise of its result and its output. As `Supervisor.run()`. */
export function run(name: string, args?: readonly string[], options?: RunOptions): RunningTask {
  return defaultSupervisor().run(name, args, options)
}

/** The platform's best executor, with its command set. */
export function command(name: string, ...args: string[]): Executor {
  return defaultSupervisor().command(name, ...args)
}

/**
 * The platform's best executor: on Linux the Linux one, always; elsewhere Basic. Its start() rejects
 * UNSUPPORTED on a Linux without a native program: nothing falls back to less.
 */
export function newExecutor(): Executor {
  return defaultSupervisor().executor()
}

/**
 * Works everywhere: no limits, no isolation. To call for it is to choose that, also under `strict`; limits it
 * is given anyway are not.
 */
export function newBasicExecutor(): Executor {
  return defaultSupervisor().executor('basic')
}

/**
 * cgroups, namespaces, its own root, an unprivileged user; for an ordinary user in a user namespace and as
 * itself. Needs Linux and the native program:
 * start() rejects UNSUPPORTED and says what mends it where there is none, `enforcement` what this host does
 * not give.
 */
export function newLinuxExecutor(): Executor {
  return defaultSupervisor().executor('linux')
}

/** Takes over a task of any state directory by its id. Rejects NOT_FOUND, STATE_CORRUPT, INVALID_ARGUMENT. */
export async function openId(id: string): Promise<Executor> {
  return defaultSupervisor(parseTaskId(id).stateDir).open(id)
}
