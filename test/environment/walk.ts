import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { bundled } from '../support/bundled.ts'
import { ordinaryUid } from '../support/ordinary-user.ts'
import type { Life } from '../fixtures/programs/life.ts'
import type { commands, Environment, Step } from './environments.ts'

export type Seen = {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  readonly life: Life | null
}

/** RLIMIT_NPROC counts all processes of a user: those of tests beside this one are another's. */
const uid = ordinaryUid + 1

const arguments_: Readonly<Record<(typeof commands)[number], readonly string[]>> = {
  run: ['run', '--json', '--', 'true'],
  ps: ['ps', '--json'],
  logs: ['logs', 'standing'],
  stop: ['stop', 'standing'],
  rm: ['rm', 'standing'],
  doctor: ['doctor', '--json'],
}

/** One environment's own directory, and what is done in it. */
export class Place {
  readonly path: string
  readonly stateDir: string
  readonly #environment: Environment
  readonly #programs: Programs

  constructor(path: string, environment: Environment, programs: Programs) {
    this.path = path
    this.stateDir = join(path, 'state')
    this.#environment = environment
    this.#programs = programs
    const scratch = join(path, 'scratch')
    mkdirSync(scratch)
    if (environment.as === 'user') for (const owned of [path, scratch]) chownSync(owned, uid, uid)
  }

  /** A task that runs before the environment is as it is to be, for what looks on. */
  async prepare(): Promise<void> {
    const script = 'echo standing; exec sleep 1000'
    const { code, stderr } = await this.#run(
      [...this.#programs.cli, 'run', '--detach', '--name', 'standing', '--', 'sh', '-c', script],
      {},
    )
    if (code !== 0) throw new Error(`the standing task was not started: ${stderr}`)
  }

  step(name: Step): Promise<Seen> {
    const { life, cli } = this.#programs
    return this.#run(name === 'library' ? life : [...cli, ...arguments_[name]], this.#environment)
  }

  /** In a good environment: nothing of the place is to be left. */
  async clear(): Promise<void> {
    for (const args of [
      ['kill', 'standing'],
      ['rm', '--ended'],
    ])
      await this.#run([...this.#programs.cli, ...args], {})
  }

  keys(): string[] {
    const tasks = join(this.stateDir, 'tasks')
    return existsSync(tasks) ? readdirSync(tasks) : []
  }

  async #run([program = '', ...args]: readonly string[], environment: Partial<Environment>): Promise<Seen> {
    const { before = ':', through = [], streams = '', node = [], env = {} } = environment
    const child = spawn(
      '/bin/bash',
      [
        '-c',
        `${before}\nexec "$@" ${streams}`,
        'bash',
        ...through,
        process.execPath,
        ...node,
        program,
        ...args,
      ],
      {
        cwd: join(this.path, 'scratch'),
        env: { ...clean, HOME: this.path, PLACE: this.path, HOLDFAST_STATE_DIR: this.stateDir, ...env },
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        ...(this.#environment.as === 'user' && { uid, gid: uid }),
      },
    )
    const texts = [1, 2, 3].map(number => textOf(child, number))
    const [[code, signal], [stdout = '', stderr = '', told = '']] = await Promise.all([
      once(child, 'exit') as Promise<[number | null, string | null]>,
      Promise.all(texts),
    ])
    return { code, signal, stdout, stderr, life: told === '' ? null : (JSON.parse(told) as Life) }
  }
}

export type Programs = { readonly life: readonly string[]; readonly cli: readonly string[] }

export async function programs(): Promise<Programs> {
  const [cli = ''] = await bundled(['src/cli/main.ts'])
  // In one file: whether a caller's program can be loaded at all is not ours to say.
  const [life = ''] = await bundled(['test/fixtures/programs/life.ts'], false)
  return { life: [life], cli: [cli] }
}

const clean = { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' }

async function textOf({ stdio }: ChildProcess, number: number): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stdio[number] as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
