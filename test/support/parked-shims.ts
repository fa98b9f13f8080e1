import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import type { LaunchSpec } from '../../src/spawn/spec.ts'
import { encodeLaunch, parseReply, type Reply } from '../../src/spawn/wire.ts'
import { eventually } from './eventually.ts'
import { childrenOf } from './held.ts'
import { minimalSpec } from './launch-spec.ts'
import { statOf } from './process-stat.ts'
import { temporaryDirectory } from './temporary.ts'

/** Children of a spawner that wait for a request: each has that name once it is ready, and no longer. */
export function parkedOf(spawner: number): number[] {
  return childrenOf(spawner).filter(pid => statOf(pid)?.name === 'holdfast-parked')
}

/** Of a pid namespace of its own, which a parked shim can serve. */
export const fitting: Partial<LaunchSpec> = {
  argv: ['sh', '-c', 'exit 0'],
  env: ['PATH=/usr/bin:/bin'],
  stdout: { base: null, path: '/dev/null' },
  stderr: { base: null, path: '/dev/null' },
  graceMs: 1000,
  namespaces: ['pid'],
}

type Launch = { readonly id: number; readonly dir: string; readonly frame: Uint8Array }

/** A native spawner, spoken to without the library. */
export class SpokenSpawner {
  readonly replies: Reply[] = []
  readonly child: ChildProcess
  readonly #state = temporaryDirectory('parked')
  #next = 1

  /** `parked`: `COUNT`, for as long as a slow host may need, or `COUNT,MILLISECONDS`. */
  constructor(parked: string, env: NodeJS.ProcessEnv = {}) {
    const native = nativeProgram()
    assert.ok('path' in native)
    this.child = spawn(
      native.path,
      ['spawner', `parked=${parked.includes(',') ? parked : `${parked},600000`}`],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env,
      },
    )
    assert.ok(this.child.stdout)
    createInterface(this.child.stdout).on('line', line => this.replies.push(parseReply(line)))
  }

  get pid(): number {
    return this.child.pid as number
  }

  get parked(): number[] {
    return parkedOf(this.pid)
  }

  get exited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** Not sent. */
  launch(spec: Partial<LaunchSpec> = {}): Launch {
    const id = this.#next++
    const dir = join(this.#state, `${id}`)
    mkdirSync(dir, { mode: 0o700 })
    return { id, dir, frame: encodeLaunch(id, { ...minimalSpec, ...fitting, ...spec, dir }) }
  }

  send(spec: Partial<LaunchSpec> = {}): Launch {
    const launch = this.launch(spec)
    this.write(launch.frame)
    return launch
  }

  /** A request that is none, to its answer: by then the spawner has taken another turn. */
  async turn(): Promise<void> {
    const id = this.#next++
    const body = Buffer.from(`launch\0${id}\0nonsense\0`)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(body.length)
    this.write(Buffer.concat([length, body]))
    await this.until(id, 'failed')
  }

  write(bytes: Uint8Array): void {
    this.child.stdin?.write(bytes)
  }

  /** The first reply of that kind. */
  async until<K extends Reply['kind']>(id: number, kind: K): Promise<Extract<Reply, { kind: K }>> {
    const of = (): Reply | undefined =>
      this.replies.find(reply => 'id' in reply && reply.id === id && reply.kind === kind)
    await eventually(() => assert.ok(of(), `${kind} ${id}: ${JSON.stringify(this.replies.slice(-5))}`))
    return of() as Extract<Reply, { kind: K }>
  }

  /** So many starts, one after the other, each to its end. The pids of their shims. */
  async run(count: number, spec: Partial<LaunchSpec> = {}): Promise<number[]> {
    const shims: number[] = []
    for (let start = 0; start < count; start++) {
      const { id } = this.send(spec)
      shims.push((await this.until(id, 'started')).shim.pid)
      await this.until(id, 'gone')
    }
    return shims
  }

  /** So many wait; their pids. */
  async untilParked(count: number): Promise<number[]> {
    await eventually(() => assert.equal(this.parked.length, count))
    return this.parked
  }

  async close(): Promise<void> {
    if (this.exited) return
    this.child.stdin?.end()
    await once(this.child, 'exit')
  }
}
