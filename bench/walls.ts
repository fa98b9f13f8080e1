import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Resources, Supervisor as Supervising } from '../src/index.ts'
import { Supervisor, setCommand } from './library.ts'
import { endedWell } from './peers/child.ts'
import { medianOf, ratios, type Summary, summary } from './statistics.ts'

export type WallRow = {
  readonly name: string
  readonly ms: Summary
  /** To all walls, and to a bare spawn: each pair from the same turn. */
  readonly toAll: Summary
  readonly toBare: Summary
}

type Walls = {
  readonly name: string
  readonly command?: Partial<Command>
  readonly limits?: Resources | null
}

const bare = 'child_process.spawn'
const all = 'all walls'
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

/** All of them, and all but one. What a wall cannot stand without falls with it, and is named. */
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
]

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
  const supervisor = new Supervisor({ stateDir })
  const runs = [
    { name: bare, run: () => timed(() => endedWell('/bin/true', [])) },
    ...ways.map(way => ({ name: way.name, run: () => startToEnd(supervisor, way) })),
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
      toAll: medianOf(ratios(of(name), of(all))),
      toBare: medianOf(ratios(of(name), of(bare))),
    }))
  } finally {
    await supervisor.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

async function startToEnd(
  supervisor: Supervising,
  { name, command = {}, limits: asked }: Walls,
): Promise<number> {
  const task = supervisor.executor('linux')
  setCommand(task, '/bin/true', [])
  Object.assign(task.command, { network: 'none' }, command)
  if (asked !== null) await task.limit(asked ?? limits)
  const took = await timed(async () => {
    await task.start()
    const result = await task.wait()
    if (!result.successful) throw new Error(`${name}: ${JSON.stringify(result)}`)
  })
  await task.destroy()
  return took
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await action()
  return performance.now() - began
}
