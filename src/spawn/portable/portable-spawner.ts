import { join } from 'node:path'
import { execa } from 'execa'
import { builtVersion } from '../../built.ts'
import { HoldfastError } from '../../errors.ts'
import { packageRoot } from '../../package-root.ts'
import type { KeepAlive, LoopHandle } from '../keep-alive.ts'
import { descriptorsOf, isOpen } from '../lender.ts'
import { assertSpareDescriptors } from '../spare-descriptors.ts'
import { type Launched, LaunchFailed, type Spawner, SpawnerDied, type WatchEnd } from '../spawner.ts'
import type { LaunchSpec } from '../spec.ts'
import { ReplyReader } from '../wire.ts'

/**
 * Starts a Node shim per task, where there is no native program. Same records, same FIFOs, no isolation and no limits;
 * some 60 ms and 8 MiB a task. `holdfast doctor` says when it is in use.
 */
export class PortableSpawner implements Spawner {
  readonly #keepAlive: KeepAlive
  readonly restarts = 0

  constructor(keepAlive: KeepAlive) {
    this.#keepAlive = keepAlive
  }

  /** Each shim is a process of the supervisor's own unit. */
  scope(): Promise<null> {
    return Promise.resolve(null)
  }

  prepare(): null {
    return null
  }

  launch(spec: LaunchSpec): Promise<Launched> {
    return new Promise((resolve, reject) => {
      if (spec.terminal) throw noTerminal()
      assertSpareDescriptors()
      // It inherits what is to be the task's, from 3 on, and is told in which order. Those that are not open here are not there either.
      const given = descriptorsOf(spec).filter(isOpen)
      const child = execa(process.execPath, [...shimArguments(), String(process.pid), ...given.map(String)], {
        detached: true,
        cleanup: false,
        reject: false,
        buffer: false,
        // Any descriptor will do, though execa's types know only the first three.
        stdio: ['pipe', 'pipe', 'ignore', ...(given as unknown as 'ignore'[])],
        extendEnv: false,
        cwd: '/',
      })
      const { stdin, stdout } = child
      const forget = [
        this.#keepAlive.add(child as unknown as LoopHandle),
        ...[stdin, stdout].map(stream => this.#keepAlive.addStream(stream)),
      ]
      let failure: LaunchFailed | null = null
      const end = new Promise<WatchEnd>(ended => {
        child.then(result => {
          for (const remove of forget) remove()
          ended('gone')
          reject(
            child.pid === undefined
              ? cannotStart(result.cause)
              : (failure ?? new SpawnerDied('the portable shim died before it could answer')),
          )
        }, reject)
      })
      const replies = new ReplyReader()
      stdout.on('data', (chunk: Buffer) => {
        for (const reply of replies.push(chunk)) {
          if (reply.kind === 'started') resolve({ end })
          // Told when the shim is gone: after a failed start nothing is left.
          if (reply.kind === 'failed') failure = new LaunchFailed(reply.stage, reply.errno, reply.detail)
        }
      })
      stdin.on('error', () => {})
      // The spec holds the task's environment, so it travels through a pipe, never through argv.
      stdin.end(JSON.stringify(spec))
    })
  }

  async close(): Promise<void> {}
}

/** From the sources (tests), the shim needs the loader that this process runs under. */
function shimArguments(): string[] {
  if (builtVersion !== null) return [join(packageRoot, 'dist/src/spawn/portable/shim.js')]
  return ['--import', import.meta.resolve('tsx'), join(packageRoot, 'src/spawn/portable/shim.ts')]
}

function cannotStart(cause: unknown): HoldfastError {
  const { code, message } = (cause ?? {}) as NodeJS.ErrnoException
  return new HoldfastError('START_FAILED', `the portable shim could not be started: ${code ?? message}`, {
    stage: 'spawner',
    errno: code,
    cause,
  })
}

function noTerminal(): HoldfastError {
  return new HoldfastError('UNSUPPORTED', 'command.terminal: only the native program makes a terminal', {
    hint: 'install a C compiler and run npm run build in the holdfast package',
  })
}
