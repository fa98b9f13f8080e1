import type { ChildProcess } from 'node:child_process'
import { killProcess } from '../kill-process.ts'
import { identify, isAlive, processTable, readProcess } from '../process-table.ts'

/**
 * How often it is looked, how often in a row a shim may be found stopped, and how often at all. The native
 * spawner gives as long: 5 s, and two minutes.
 */
export type Patience = { readonly checkMs: number; readonly stopped: number; readonly all: number }
export const defaultPatience: Patience = { checkMs: 1000, stopped: 5, all: 120 }

/**
 * Looks after a shim until it has answered: one that somebody has stopped (SIGSTOP), or that hangs, never
 * would. It is killed, with what it had started, and `failed` is told why. Returns the way to stop looking.
 * Where there is no /proc nobody is seen to be stopped, and the other bound holds.
 */
export function watchSetUp(
  shim: ChildProcess,
  failed: (why: string) => void,
  { checkMs, stopped: maxStopped, all }: Patience = defaultPatience,
): () => void {
  const pid = shim.pid as number
  let stopped = 0
  let checks = 0
  const timer = setInterval(() => {
    stopped = readProcess(pid)?.state === 'T' ? stopped + 1 : 0
    const why = stopped > maxStopped ? 'the shim was stopped during set-up' : tooLong(++checks > all)
    if (why === null) return
    clearInterval(timer)
    failed(why)
    killWithChildren(shim)
  }, checkMs).unref()
  return () => clearInterval(timer)
}

const tooLong = (isSo: boolean): string | null => (isSo ? 'the set-up took longer than it may' : null)

/**
 * What it has spawned and not recorded yet nobody else would find. It cannot start more, being stopped, or
 * dead by then.
 */
function killWithChildren(shim: ChildProcess): void {
  const children = processTable()
    .filter(({ parent }) => parent === shim.pid)
    .flatMap(({ pid, group }) => ({ group, identity: identify(pid) }))
  shim.kill('SIGKILL')
  for (const { group, identity } of children) {
    if (identity === null || !isAlive(identity)) continue
    killProcess(group === identity.pid ? -group : identity.pid)
  }
}
