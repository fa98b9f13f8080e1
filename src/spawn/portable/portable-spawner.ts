import type { Feed } from '../feed.ts'
import type { KeepAlive } from '../keep-alive.ts'
import { descriptorsOf, isOpen } from '../fd-donor.ts'
import { assertSpareDescriptors } from '../spare-descriptors.ts'
import { type Launched, LaunchFailed, type Spawner, SpawnerDied, type WatchEnd } from '../spawner.ts'
import type { LaunchSpec } from '../spec.ts'
import { spawnFailed, startProcess } from '../start-process.ts'
import { ReplyReader } from '../wire.ts'
import { refuseUnhonoured } from './honours.ts'
import { nodePath } from './node-path.ts'
import { PipeFeed } from './pipe-feed.ts'
import { feedDescriptor, type ShimRequest } from './request.ts'
import { shimArguments } from './shim-program.ts'
import { type Patience, defaultPatience, watchSetUp } from './set-up-watch.ts'

/**
 * Starts a Node shim per task, where there is no native program. Same records, a socket for the two FIFOs, no
 * isolation and no limits; some 60 ms and 8 MiB a task. `holdfast doctor` says when it is in use.
 */
export class PortableSpawner implements Spawner {
  readonly #keepAlive: KeepAlive
  readonly #patience: Patience
  readonly restarts = 0

  /** `patience`: with a shim that does not answer. */
  constructor(keepAlive: KeepAlive, patience: Patience = defaultPatience) {
    this.#keepAlive = keepAlive
    this.#patience = patience
  }

  /** Each shim is a process of the supervisor's own unit. */
  scope(): Promise<null> {
    return Promise.resolve(null)
  }

  prepare(): null {
    return null
  }

  feed(): Feed {
    return new PipeFeed()
  }

  launch(spec: LaunchSpec, feed: Feed | null = null): Promise<Launched> {
    return new Promise((resolve, reject) => {
      refuseUnhonoured(spec)
      assertSpareDescriptors()
      // It inherits what is to be the task's, from 3 on. Those that are not open here are not there either.
      const externalDescriptors = descriptorsOf(spec).filter(isOpen)
      const stdio = [...(feed === null ? [] : ['pipe' as const]), ...externalDescriptors]
      const child = startProcess(nodePath(), shimArguments(), {
        detached: true,
        stdio: ['pipe', 'pipe', 'ignore', ...stdio],
        env: shimEnvironment(),
        cwd: '/',
        windowsHide: true,
      })
      const { stdin, stdout } = child
      // It could not be forked: there is no process to watch.
      if (child.pid === undefined || stdin === null || stdout === null) {
        child.once('error', error => reject(spawnFailed(error)))
        return
      }
      if (feed instanceof PipeFeed) feed.connect(child.stdio[feedDescriptor])
      // Who has left the task may hold its standard input for ever.
      child.once('exit', () => feed?.end())
      const forget = [
        this.#keepAlive.add(child),
        ...[stdin, stdout].map(stream => this.#keepAlive.addStream(stream)),
      ]
      let failure: LaunchFailed | null = null
      const answered = watchSetUp(child, why => (failure = new LaunchFailed('fork', 0, why)), this.#patience)
      const end = new Promise<WatchEnd>(ended => {
        child.once('close', () => {
          answered()
          for (const remove of forget) remove()
          ended('gone')
          reject(failure ?? new SpawnerDied('the portable shim died before it could answer'))
        })
      })
      const replies = new ReplyReader()
      stdout.on('data', (chunk: Buffer) => {
        for (const reply of replies.push(chunk)) {
          answered()
          if (reply.kind === 'started') resolve({ end, gone: end })
          // Told when the shim is gone: after a failed start nothing is left.
          if (reply.kind === 'failed') failure = new LaunchFailed(reply.stage, reply.errno, reply.detail)
        }
      })
      stdin.on('error', () => {})
      const request: ShimRequest = { spec, supervisor: process.pid, fed: feed !== null, externalDescriptors }
      stdin.end(JSON.stringify(request))
    })
  }

  async close(): Promise<void> {}
}

/** What Node itself may need to start at all; nothing else of the supervisor's. */
const neededByNode = ['NODE_SKIP_PLATFORM_CHECK', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH']

function shimEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    neededByNode.flatMap(name => (name in process.env ? [[name, process.env[name]]] : [])),
  )
}
