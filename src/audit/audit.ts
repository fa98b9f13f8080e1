import { parseOptions, type SupervisorOptions } from '../supervisor/options.ts'
import { StateDirectory } from '../task/task-directory.ts'
import { leftoverCgroups } from './cgroups.ts'
import type { Found, LeftoverKind, AuditContext } from './found.ts'
import { unreachableTasks } from './shims.ts'
import { leftoverAllocations, leftoversOfSupervisors, leftoversOfTasks, mountsBelow } from './state.ts'
import { leftoverProjects } from './projects.ts'
import { leftoverUsers } from './users.ts'

export type AuditOptions = {
  /** The state directory to look at. Default: as for a Supervisor. */
  stateDir?: string
  /** Whose `registry` names the users that are one task's each. Default: as for a Supervisor. */
  ownUsers?: SupervisorOptions['ownUsers']
  /** Remove what is found. Default false. */
  fix?: boolean
}

/** Something that no task owns. */
export type Leftover = {
  readonly kind: LeftoverKind
  readonly path: string
  /** Why it is none of a task's, and why it could not be removed where that was tried. */
  readonly why: string
  /** Whether it is gone now. */
  readonly fixed: boolean
}

export type AuditReport = { readonly stateDir: string; readonly leftovers: readonly Leftover[] }

/**
 * Lists what crashes have left behind and no task owns, and tasks that nobody can reach any more (their shim
 * has been stopped, their FIFOs or directory are gone), which with `fix` are killed: cgroups under
 * `holdfast`, half-made records, temporary files of ended tasks, allocations without a task, FIFOs of
 * supervisors that are gone, mounts in the state directory, users that were one task's each, limits of
 * projects without files. With `fix` it removes all of it but mounts.
 *
 * It never touches what may be somebody's: a task that runs or has ended, here or in another state directory;
 * what is quarantined; what is younger than some seconds; files of other names. Processes in a cgroup of ours
 * that no task here knows and no shim looks after are named, and with `fix` killed: whichever state directory
 * they come from, nobody else will. A task that was lost and whose processes are left is not settled, but
 * with `fix` those processes are killed. Idempotent. Rejects PERMISSION, INVALID_ARGUMENT.
 */
export async function audit({ stateDir, ownUsers, fix = false }: AuditOptions = {}): Promise<AuditReport> {
  const settings = parseOptions({
    ...(stateDir !== undefined && { stateDir }),
    ...(ownUsers !== undefined && { ownUsers }),
  })
  const { registry } = settings.ownUsers
  const context = { state: new StateDirectory(settings.stateDir), registry, now: Date.now() }
  const leftovers: Leftover[] = []
  for (const scan of scans)
    for (const found of await scan(context)) leftovers.push(fix ? await removed(found) : asLeftover(found))
  return { stateDir: context.state.path, leftovers }
}

const scans: readonly ((context: AuditContext) => Promise<Found[]>)[] = [
  // First: what they leave is then found by those that come after.
  unreachableTasks,
  // Before its record goes, by which it is known that the shim has been there and is gone.
  context => leftoverCgroups(context),
  leftoversOfTasks,
  leftoverAllocations,
  leftoversOfSupervisors,
  mountsBelow,
  // After the allocations, whose removal leaves the limits of their projects.
  leftoverProjects,
  // Last: a user is its task's for as long as anything of that is left.
  leftoverUsers,
]

async function removed(found: Found): Promise<Leftover> {
  if (found.remove === null) return asLeftover(found)
  try {
    await found.remove()
    return { ...asLeftover(found), fixed: true }
  } catch (error) {
    return asLeftover({ ...found, why: `${found.why}; it could not be removed: ${(error as Error).message}` })
  }
}

function asLeftover({ kind, path, why }: Found): Leftover {
  return { kind, path, why, fixed: false }
}
