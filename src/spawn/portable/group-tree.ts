import { constants } from 'node:os'
import { untilGroupGone } from './group.ts'
import type { Tree } from './tree.ts'

/** A process group. What has left it escapes. */
export class GroupTree implements Tree {
  readonly #leader: number

  constructor(leader: number) {
    this.#leader = leader
  }

  signal(signal: number): void {
    send(this.#leader, signal)
  }

  ask(signal: number, target: 'group' | 'leader'): void {
    const whom = target === 'leader' ? this.#leader : -this.#leader
    send(whom, signal)
    send(whom, constants.signals.SIGCONT)
  }

  kill(): void {
    send(-this.#leader, constants.signals.SIGKILL)
  }

  end(maxMs: number): Promise<readonly number[]> {
    this.kill()
    return untilGroupGone(this.#leader, maxMs)
  }
}

function send(pid: number, signal: number): void {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH.
  }
}
