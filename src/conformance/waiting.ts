import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './bench.ts'
import { expectThat } from './expect.ts'

/** For machines that are slow, not for programs that are. */
const patienceMs = 30_000

export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!holds()) {
    expectThat(performance.now() < deadline, `${what} did not come about in ${patienceMs / 1000} s`)
    await sleep(20)
  }
}

/**
 * A shell command that goes on for as long as its process lives, wherever that has gone: a file in /local
 * grows.
 */
export const heartbeat = 'while :; do echo >> $HOLDFAST_TASK_DIR/beat; sleep 0.05; done'

/** How often it has beaten, whichever task of the bench it belongs to. */
export function beats(bench: Bench): number {
  const allocs = join(bench.stateDir, 'allocs')
  const sizes = readdirSync(allocs, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('/local/beat'))
    .map(name => statSync(join(allocs, name), { throwIfNoEntry: false })?.size ?? 0)
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Throws when a heart beats on. */
export async function expectSilence(bench: Bench): Promise<void> {
  const before = beats(bench)
  expectThat(before > 0, 'the process that was to be killed never ran')
  await sleep(500)
  const after = beats(bench)
  expectThat(after === before, 'a process of the task lives on')
}
