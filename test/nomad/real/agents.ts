import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupsOf as ownCgroupsOf } from '../../../src/audit/cgroups.ts'
import { audit } from '../../../src/index.ts'
import { isLiving, parentOf, statOfAll } from '../../support/process-stat.ts'
import { requires } from '../../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../../support/temporary.ts'
import { until } from '../support/until.ts'
import { nomadBinary, RealAgent, type Role } from './agent.ts'
import { removeLeft } from './left.ts'

/** The agents of one suite, in a directory of their own. */
export class Agents {
  readonly directory: string
  readonly #binary: string
  readonly #agents: RealAgent[] = []

  /** Skips the suite, aloud, where there is no Nomad. */
  constructor(suite: Mocha.Context) {
    requires(suite, 'root', 'linux', 'native')
    const found = nomadBinary()
    if (found === null) skipAloud(suite, 'its binary in NOMAD_BIN or on PATH')
    this.#binary = found
    this.directory = temporaryDirectory('nomad')
  }

  async make(name: string, role: Role): Promise<RealAgent> {
    const agent = await RealAgent.make(this.#binary, join(this.directory, name), role)
    this.#agents.push(agent)
    return agent
  }

  /** Whatever still runs is killed, and nothing is left. */
  async close(): Promise<void> {
    for (const agent of this.#agents) await agent.end('SIGKILL')
    await endAllIn(this.directory)
    for (const { directory } of this.#agents) await reap(join(directory, 'state'))
    removeLeft(this.directory)
    removeTemporary(this.directory)
  }
}

/**
 * Shims that are killed leave the cgroups that they have made beside Nomad's (on v1 that of cpuacct). audit()
 * takes them away, as on any node.
 */
async function reap(stateDir: string): Promise<void> {
  const tasks = join(stateDir, 'tasks')
  if (!existsSync(tasks)) return
  const keys = readdirSync(tasks)
  await audit({ stateDir, fix: true })
  const left = keys.flatMap(ownCgroupsOf)
  if (left.length > 0) throw new Error(`cgroups are left: ${left.join()}`)
}

export async function endAllIn(directory: string): Promise<void> {
  for (const pid of pidsIn(directory)) process.kill(pid, 'SIGKILL')
  await until('nobody holds the data', () => pidsIn(directory).length === 0)
}

export function skipAloud(suite: Mocha.Context, needs: string): never {
  process.stderr.write(`SKIPPED a real Nomad: needs ${needs}\n`)
  suite.skip()
}

/**
 * The plugin processes of an agent, by the file that it starts; its children that were forked from it are no
 * node.
 */
export function pluginsOf(agent: RealAgent): number[] {
  return processes().filter(pid => commandLine(pid).includes('nomad-driver') && parentOf(pid) === agent.pid)
}

/** Empty, once it has ended. */
export function commandLine(pid: number): readonly string[] {
  return read(`/proc/${pid}/cmdline`).split('\0')
}

/**
 * Whoever works in this directory: also the plugins that a killed agent has left to its successor, which know
 * it from their environment.
 */
function pidsIn(directory: string): number[] {
  return processes().filter(pid => {
    if (['cmdline', 'environ'].some(file => read(`/proc/${pid}/${file}`).includes(directory))) return true
    try {
      return readdirSync(`/proc/${pid}/fd`).some(fd =>
        readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(directory),
      )
    } catch {
      return false
    }
  })
}

/** All that live, without this one. */
export function processes(): number[] {
  return statOfAll()
    .filter(stat => isLiving(stat) && stat.pid !== process.pid)
    .map(({ pid }) => pid)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
