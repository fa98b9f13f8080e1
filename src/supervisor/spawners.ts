import { HoldfastError } from '../errors.ts'
import { isRootless, spawnerScope } from '../platform/index.ts'
import type { PlatformName } from '../platform/port.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'
import { nativeMissing } from '../spawn/native-hint.ts'
import { nativeProgram } from '../spawn/native-program.ts'
import { NativeSpawner } from '../spawn/native-spawner.ts'
import { PortableSpawner } from '../spawn/portable/portable-spawner.ts'
import type { Spawner } from '../spawn/spawner.ts'

/**
 * The spawner of a supervisor, chosen at first use: native where there is one. An ordinary user's has another
 * for isolated tasks, inside a user namespace: there a set-user-ID program does not work, as it should for a
 * Basic task. What runs inside a task comes from the first: only from outside can the user namespace of a
 * task be entered that another supervisor has started.
 */
export class Spawners {
  readonly #keepAlive: KeepAlive
  #spawner: Spawner | null = null
  #rootless: Spawner | null = null
  #closed = false

  constructor(keepAlive: KeepAlive) {
    this.#keepAlive = keepAlive
  }

  /**
   * Throws UNSUPPORTED where the Linux platform is asked for and there is no native program, INVALID_STATE
   * once closed.
   */
  get(platform: PlatformName, inside: boolean): Spawner {
    if (this.#closed)
      throw new HoldfastError('INVALID_STATE', 'the supervisor is closed and starts no more tasks')
    const rootless = isRootless(platform) && !inside
    const running = rootless ? this.#rootless : this.#spawner
    // What lies in the file system now is nothing to one that runs; should it have to be started again, that
    // says what is missing.
    if (running instanceof NativeSpawner) return running
    const native = nativeProgram()
    if (platform === 'linux' && 'unavailable' in native) throw nativeMissing(native.unavailable)
    if ('path' in native && rootless)
      return (this.#rootless ??= new NativeSpawner(native.path, this.#keepAlive, {
        rootless: true,
        scoping: spawnerScope,
      }))
    this.#spawner ??=
      'path' in native
        ? new NativeSpawner(native.path, this.#keepAlive, { scoping: spawnerScope })
        : new PortableSpawner(this.#keepAlive)
    return this.#spawner
  }

  get restarts(): number {
    return (this.#spawner?.restarts ?? 0) + (this.#rootless?.restarts ?? 0)
  }

  async close(): Promise<void> {
    this.#closed = true
    // Nothing else may be left that keeps the program running: without this it would end in the middle of
    // close().
    for (const spawner of [this.#spawner, this.#rootless])
      if (spawner !== null) await this.#keepAlive.while(spawner.close())
  }
}
