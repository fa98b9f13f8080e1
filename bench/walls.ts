import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Resources, Supervisor as Supervising } from '../src/index.ts'
import { Supervisor, setCommand } from './library.ts'
import { mountProjectQuota } from './project-quota.ts'
import { endedWell } from './peers/child.ts'
import { ordinaryUid, Side } from './sides.ts'
import { median, medianOf, ratios, type Summary, summary } from './statistics.ts'
import { ranWell, timed } from './way.ts'

export type WallRow = {
  readonly name: string
  readonly ms: Summary
  /**
   * To all walls (of the same file system; by root, where it is a program of its own), and to a bare spawn:
   * pairs of one turn.
   */
  readonly toAll: Summary
  readonly toBare: Summary
}

type Walls = {
  readonly name: string
  readonly command?: Partial<Command>
  readonly limits?: Resources | null
  readonly strict?: boolean
  /** Where the task is recorded and allocated: in memory unless told otherwise. */
  readonly on?: 'project quotas'
}

const bare = 'child_process.spawn'
const all = 'all walls'
const onDisk = 'all walls, the state on an ext4 with project quotas'
const limits: Resources = { memoryMB: 64, pids: 32 }

const hostNamespaces = { mount: false, pid: false, ipc: false, uts: false, cgroup: false }
const everyCapability = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'KILL',
  'NET_ADMIN',
  'NET_RAW',
  'SETGID',
  'SETUID',
]

/**
 * All that stand by default, all but one, and one more. What a wall cannot stand without falls with it, and
 * is named.
 */
const ways: readonly Walls[] = [
  { name: all },
  { name: 'without the filter of system calls, and so without Landlock', command: { seccomp: 'off' } },
  { name: 'without Landlock, by keeping CAP_SYS_ADMIN', command: { capabilities: ['CAP_SYS_ADMIN'] } },
  { name: "without a root of its own, and so without Landlock's files", command: { root: 'host' } },
  {
    name: 'without namespaces, and so without a root of its own',
    command: { root: 'host', namespaces: hostNamespaces, network: 'host' },
  },
  { name: 'without a network of its own', command: { network: 'host' } },
  {
    name: 'with eight capabilities kept',
    command: { capabilities: everyCapability.map(name => `CAP_${name}`) },
  },
  { name: 'as root', command: { user: 'root' } },
  { name: 'without cgroups', limits: null },
  { name: 'without no_new_privs', command: { noNewPrivileges: false } },
  {
    name: 'and named destinations: a forwarder of its own',
    command: { network: { allow: ['example.com'] } },
  },
  { name: 'and a user of its own', command: { user: 'own' } },
  { name: 'and strict: the program waits until what is in force has been compared', strict: true },
  { name: 'and diskBytes: a file system of its own', limits: { ...limits, diskBytes: 16 * 1024 * 1024 } },
  { name: onDisk, on: 'project quotas' },
  {
    name: 'and diskBytes there: a project quota (to all walls there)',
    limits: { ...limits, diskBytes: 16 * 1024 * 1024 },
    on: 'project quotas',
  },
]

/** Each in a program of its own, so that the second's ratio is to the first. */
const sides = [
  { name: 'by root, in a program of its own', uid: 0 },
  { name: 'by an ordinary user there, in a user namespace', uid: ordinaryUid },
] as const

/**
 * What each wall around a task costs its start and end, one at a time: every way after every other, each time
 * beginning with another one. Root on Linux only: nobody else may leave them out one by one.
 */
export async function measureWalls(
  stateRoot: string,
  { turns }: { readonly turns: number },
  progress: (text: string) => void,
): Promise<WallRow[]> {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return []
  const stateDir = mkdtempSync(join(stateRoot, 'holdfast-bench-walls-'))
  const registry = join(stateDir, 'own-users')
  const supervisor = new Supervisor({ stateDir, ownUsers: { registry } })
  const quotas = await mountProjectQuota(stateRoot)
  const onQuotas = quotas && new Supervisor({ stateDir: join(quotas.path, 'state'), ownUsers: { registry } })
  const programs = sides.map(({ name, uid }) => ({ name, side: new Side(uid, stateRoot) }))
  const runs = [
    { name: bare, run: () => timed(() => endedWell('/bin/true', [])) },
    ...ways.flatMap(way => {
      const by = way.on === undefined ? supervisor : onQuotas
      return by === null ? [] : [{ name: way.name, run: () => startToEnd(by, way) }]
    }),
    ...programs.map(({ name, side }) => ({ name, run: async () => median(await side.startToExit(1)) })),
  ]
  try {
    const found = new Map(runs.map(({ name }) => [name, [] as number[]]))
    // The first turns warm up.
    for (let turn = -runs.length; turn < turns; turn++) {
      if (turn % 10 === 0) progress(`walls: turn ${turn} of ${turns}`)
      for (let index = 0; index < runs.length; index++) {
        const { name, run } = runs[(index + turn + runs.length) % runs.length] as (typeof runs)[number]
        const took = await run()
        if (turn >= 0) found.get(name)?.push(took)
      }
    }
    const of = (name: string): number[] => found.get(name) ?? []
    return runs.map(({ name }) => ({
      name,
      ms: summary(of(name)),
      toAll: medianOf(ratios(of(name), of(baseOf(name)))),
      toBare: medianOf(ratios(of(name), of(bare))),
    }))
  } finally {
    for (const { side } of programs) await side.close()
    await supervisor.close()
    await onQuotas?.close()
    quotas?.unmount()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

function baseOf(name: string): string {
  if (sides.some(side => side.name === name)) return sides[0].name
  return ways.some(way => way.name === name && way.on !== undefined && name !== onDisk) ? onDisk : all
}

async function startToEnd(
  supervisor: Supervising,
  { name, command = {}, limits: asked, strict = false }: Walls,
): Promise<number> {
  const task = supervisor.executor('linux', { strict })
  setCommand(task, '/bin/true', [])
  Object.assign(task.command, { network: 'none' }, command)
  if (asked !== null) await task.limit(asked ?? limits)
  const took = await timed(() => ranWell(task, name))
  await task.destroy()
  return took
}
