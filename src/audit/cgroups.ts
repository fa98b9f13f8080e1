import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { textIfReadable } from '../if-there.ts'
import { detectCgroups } from '../platform/linux/cgroup-mode.ts'
import { groupsBelow, processesIn } from '../platform/linux/cgroup-members.ts'
import { directoriesIn, existingParents } from '../platform/linux/cgroup-parents.ts'
import { emptyCgroup } from '../platform/linux/kill.ts'
import { releaseCgroups } from '../platform/linux/release.ts'
import { shimMayLive } from '../task/shim-life.ts'
import { isTaskKey } from '../task/task-id.ts'
import { each, type Found, isAged, ownerOf, type AuditContext } from './found.ts'
import { type Holders, lookForHolders } from './holders.ts'
import { haveShim, inWords } from './members.ts'

/** Milliseconds that killed processes are given to go. */
const killMs = 10_000

type Group = { readonly key: string; readonly dir: string }

/**
 * Cgroups whose task is over. All state directories of a host share `<mount>/holdfast`: a key that is unknown
 * here may be another's. Its cgroup is reported when it has been there for a while, no living process has
 * anything of that task open, and no shim is above its members.
 */
export async function leftoverCgroups(
  context: AuditContext,
  parents: readonly string[] = parentsHere(),
): Promise<Found[]> {
  const groups = groupsIn(parents)
  let holds: Holders | undefined
  return each(groups, group => {
    // In this order: a cgroup that was there before its shim was seen gone is no new one's.
    if (existsSync(context.state.taskDirectory(group.key))) return ofKnownTask(context, group)
    if (!isAged(context, group.dir)) return []
    holds ??= lookForHolders()
    return holds(group.key, ownerOf(group.dir)) ? [] : ofNobody(group)
  })
}

/** Those of a task, wherever it has one. */
export function cgroupsOf(key: string): string[] {
  return groupsIn(parentsHere())
    .filter(group => group.key === key)
    .map(({ dir }) => dir)
}

function parentsHere(): string[] {
  return process.platform === 'linux' ? existingParents(detectCgroups()) : []
}

/** Those of exec sessions, which are below their tasks', before these. */
function groupsIn(parents: readonly string[]): Group[] {
  const tasks = keyedIn(parents)
  return [...keyedIn(tasks.map(({ dir }) => dir)), ...tasks]
}

function keyedIn(parents: readonly string[]): Group[] {
  return parents.flatMap(parent =>
    directoriesIn(parent)
      .map(name => ({ key: keyIn(name), dir: join(parent, name) }))
      .filter(({ key }) => isTaskKey(key)),
  )
}

/** In a systemd scope the task's name goes before it. */
function keyIn(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function ofKnownTask({ state }: AuditContext, { key, dir }: Group): Found[] {
  // The shim makes `alive` before the first cgroup: without a writer it has come and gone.
  if (shimMayLive(state.taskDirectory(key)) || !existsSync(dir)) return []
  const inhabited = hasMembers(dir)
  const why = inhabited
    ? `processes of task ${key} are left in it, whose shim is gone: ${inWords(processesIn(dir))}`
    : `task ${key} has ended, or its shim is gone`
  return [{ kind: 'cgroup', path: dir, why, remove: () => emptied(dir) }]
}

function ofNobody({ key, dir }: Group): Found[] {
  const nobody = `there is no task ${key} in this state directory nor a shim at work on it`
  const members = processesIn(dir)
  if (!hasMembers(dir))
    return [{ kind: 'cgroup', path: dir, why: `it is empty, and ${nobody}`, remove: () => release(dir) }]
  if (haveShim(members, ownerOf(dir))) return []
  return [
    { kind: 'cgroup', path: dir, why: `${inhabitedBy(members)}, and ${nobody}`, remove: () => emptied(dir) },
  ]
}

function inhabitedBy(members: readonly number[]): string {
  return members.length === 0 ? 'dying processes are in it' : `processes are left in it, ${inWords(members)}`
}

async function emptied(dir: string): Promise<void> {
  for (const group of [...groupsBelow(dir), dir]) await emptyCgroup(group, killMs)
  await release(dir)
}

async function release(dir: string): Promise<void> {
  // The kernel would keep this one, but not the empty groups below it that its members may have made.
  if (!hasMembers(dir)) await releaseCgroups([dir])
  if (existsSync(dir)) throw new Error('it has members')
}

/** As the kernel sees it, zombies included; what cannot be read counts as inhabited. */
function hasMembers(dir: string): boolean {
  const populated = /^populated (\d)/m.exec(textIfReadable(join(dir, 'cgroup.events')) ?? '')?.[1]
  if (populated !== undefined) return populated === '1'
  return [dir, ...groupsBelow(dir)].some(group => {
    const members = textIfReadable(join(group, 'cgroup.procs'))
    return members === null ? existsSync(group) : members.trim() !== ''
  })
}
