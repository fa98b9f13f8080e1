import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { killProcess } from '../kill-process.ts'
import type { Tree } from './tree.ts'
import { descendantsOf, systemProgram, windowsProcesses } from './windows-processes.ts'

/**
 * The descendants of the leader. Windows has no signals and no process groups in that sense: to ask means to
 * close the windows of the leader, which a program of the console does not hear (the end of its standard
 * input, which the supervisor sees to, it does). What a process of the tree has started, and left behind
 * before anybody looked, has lost its way to the leader and escapes; the leader itself dies with us (it is in
 * the job that Node makes).
 */
export class WindowsTree implements Tree {
  readonly #child: ChildProcess
  /** Pids that belong to the tree, also of those who have ended: their children still name them. */
  readonly #known: Set<number>

  constructor(child: ChildProcess) {
    this.#child = child
    this.#known = new Set(child.pid === undefined ? [] : [child.pid])
  }

  signal(signal: number): void {
    if (signal === constants.signals.SIGKILL) this.#child.kill('SIGKILL')
  }

  ask(_signal: number, target: 'group' | 'leader'): void {
    const pid = String(this.#child.pid)
    // Wine's knows no /T. What becomes of it is told by the exit.
    systemProgram('taskkill.exe', target === 'leader' ? ['/PID', pid] : ['/PID', pid, '/T'])
      .then(said => said ?? systemProgram('taskkill.exe', ['/PID', pid]))
      .catch(() => null)
  }

  /** The leader at once: what it had started is killed when it has ended. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async end(maxMs: number): Promise<readonly number[]> {
    const deadline = Date.now() + maxMs
    for (;;) {
      const members = descendantsOf(this.#known, (await windowsProcesses()) ?? [])
      // The leader has ended: whoever has its number now is another process.
      const living = members.filter(pid => pid !== this.#child.pid)
      if (living.length === 0 || Date.now() >= deadline) return living
      for (const pid of living) {
        this.#known.add(pid)
        killProcess(pid)
      }
      await sleep(pauseMs)
    }
  }
}

const pauseMs = 20
