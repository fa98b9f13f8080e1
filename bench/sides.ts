import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** An ordinary user: without power of any kind, and without an account that would be needed. */
export const ordinaryUid = 64_908

/** A program of its own that starts isolated tasks as that user (rootless-child.ts). */
export class Side {
  readonly #directory: string
  readonly #child: ChildProcess

  constructor(uid: number, stateRoot: string) {
    this.#directory = mkdtempSync(join(stateRoot, 'holdfast-bench-side-'))
    chownSync(this.#directory, uid, uid)
    this.#child = fork(fileURLToPath(new URL('rootless-child.ts', import.meta.url)), [this.#directory], {
      uid,
      gid: uid,
      execArgv: ['--import', 'tsx'],
      env: { PATH: process.env.PATH, TMPDIR: this.#directory },
    })
  }

  /** Milliseconds from start to exit known, of each of so many, one at a time. */
  async startToExit(count: number): Promise<number[]> {
    this.#child.send(count)
    const [milliseconds] = (await once(this.#child, 'message')) as [number[]]
    return milliseconds
  }

  async close(): Promise<void> {
    this.#child.disconnect()
    await once(this.#child, 'exit')
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
