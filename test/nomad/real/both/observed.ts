import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { RealAgent } from '../agent.ts'
import { type Allocation, allocation, lastEnd, logs, type TaskState } from '../jobs.ts'

/** What one task has made of a job, by what is looked at; the same names under both drivers. */
export type Observed = ReadonlyMap<string, string>

/** What Nomad makes of `chroot_env` for exec is no file of the job's. */
export const chroot = [
  '/bin',
  '/etc',
  '/lib64',
  '/lib/x86_64-linux-gnu',
  '/lib/aarch64-linux-gnu',
  '/usr/bin',
  '/usr/lib/jvm',
  '/usr/lib/locale',
  '/usr/lib/x86_64-linux-gnu/perl-base',
  '/usr/lib/aarch64-linux-gnu/perl-base',
]
const places = [
  'local',
  'secrets',
  'tmp',
  'private',
  'opt',
  'etc/legacy.conf',
  'etc/lookup.conf',
  'etc/lookup',
  'usr/local',
]

/** Events, end, logs and files of an allocation's tasks: names are `task: what`. */
export async function observe(agent: RealAgent, id: string, files: Observed): Promise<Observed> {
  const { TaskStates } = await allocation(agent, id)
  const seen = new Map(files)
  for (const [name, state] of Object.entries(TaskStates ?? {})) {
    const same = (text: string) => plain(text, id)
    seen.set(`${name}: events`, same(eventsOf(state)))
    const { exit_code = '', signal = '', oom_killed = '' } = lastEnd(state)
    seen.set(`${name}: end`, `exit ${exit_code} signal ${signal} oom ${oom_killed} failed ${state.Failed}`)
    for (const stream of ['stdout', 'stderr'] as const)
      seen.set(`${name}: ${stream}`, same(await logs(agent, id, stream, name).catch(() => '(none)')))
  }
  return seen
}

function eventsOf({ Events }: TaskState): string {
  // When the client's watcher of health speaks is a matter of time, and not of drivers.
  return Events.filter(({ Type }) => Type !== 'Alloc Unhealthy')
    .map(({ Type, DisplayMessage }) => `${Type}: ${DisplayMessage}`)
    .join('\n')
}

/** Without what differs from one run to the next. */
function plain(text: string, id: string): string {
  return text
    .replaceAll(id, 'ALLOC')
    .replace(/\b(2\d{4}|3[01]\d{3})\b/g, 'PORT')
    .replace(/Downloading http:\S+/g, 'Downloading')
}

/**
 * Files of an allocation with types, modes, owners and contents: names are `task: file PATH`. While its
 * file systems of secrets are there: before it is purged.
 */
export function filesOf(agent: RealAgent, id: string, tasks: readonly string[]): Observed {
  const root = join(agent.directory, 'data/alloc', id)
  const seen = new Map<string, string>()
  // The logs are looked at as such.
  walk(join(root, 'alloc'), 'alloc', path => !path.startsWith('alloc/logs/'))
  for (const task of tasks)
    for (const place of places) walk(join(root, task, place), `${task}: file ${place}`, () => true)
  return seen

  function walk(path: string, name: string, wanted: (name: string) => boolean): void {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined || !wanted(name)) return
    const mode = (stat.mode & 0o7777).toString(8)
    const owner = `${mode} ${stat.uid}:${stat.gid}`
    if (stat.isDirectory()) {
      seen.set(name, `directory ${owner}`)
      for (const entry of readdirSync(path)) walk(join(path, entry), `${name}/${entry}`, wanted)
    } else if (stat.isSymbolicLink()) seen.set(name, `link to ${readlinkSync(path)}`)
    else if (stat.isFile()) seen.set(name, `file ${owner} ${contents(path)}`)
    else seen.set(name, `special ${owner}`)
  }
}

/** Tokens and dates differ from run to run, in content alone. */
function contents(path: string): string {
  const text = readFileSync(path)
  if (/\.jwt$|_token$|report$/.test(path)) return `${text.length} bytes`
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

export function isOver({ TaskStates }: Allocation): boolean {
  const states = Object.values(TaskStates ?? {})
  return states.length > 0 && states.every(({ State }) => State === 'dead')
}
