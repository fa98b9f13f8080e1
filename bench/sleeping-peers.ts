import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Skipped } from './contender.ts'
import { bubblewrap, bubblewrapArguments } from './peers/bubblewrap.ts'
import { spawnBare } from './peers/child.ts'
import { Bundles, crun } from './peers/crun.ts'
import { nameOf, pssKib, treeOf } from './processes.ts'

export type Sleeping = { readonly name: string; readonly kib: number; readonly processes: number }

export async function sleepingBubblewraps(count: number): Promise<Sleeping | Skipped> {
  const peer = bubblewrap()
  if ('reason' in peer) return peer
  return measured(peer.name, count, () => spawnBare('bwrap', bubblewrapArguments('/bin/sleep', '600')))
}

export async function sleepingCruns(count: number): Promise<Sleeping | Skipped> {
  const peer = crun()
  if ('reason' in peer) return peer
  await peer.close()
  const bundles = new Bundles(count, '/bin/sleep', '600')
  try {
    return await measured(peer.name, count, slot => spawnBare('crun', bundles.arguments(slot)))
  } finally {
    bundles.remove()
  }
}

async function measured(
  name: string,
  count: number,
  start: (slot: number) => ChildProcess,
): Promise<Sleeping> {
  const keepers = Array.from({ length: count }, (_, slot) => start(slot))
  try {
    for (const keeper of keepers) await sleeping(keeper)
    const pids = keepers
      .flatMap(({ pid }) => (pid === undefined ? [] : treeOf(pid)))
      .filter(pid => nameOf(pid) !== 'sleep')
    return { name, kib: pids.reduce((sum, pid) => sum + pssKib(pid), 0), processes: pids.length }
  } finally {
    await Promise.all(keepers.map(end))
  }
}

/** They say nothing when the program runs: looked for until the deadline. */
async function sleeping({ pid = 0, spawnfile }: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(5)) {
    if (treeOf(pid).some(member => nameOf(member) === 'sleep')) return
  }
  throw new Error(`${spawnfile} has not started its program within 10 s`)
}

/** The program ends, and whoever waits for it tidies up and ends too. */
async function end(keeper: ChildProcess): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return
  const ended = once(keeper, 'exit')
  const program = treeOf(keeper.pid ?? 0).find(pid => nameOf(pid) === 'sleep')
  if (program === undefined) keeper.kill('SIGKILL')
  else process.kill(program, 'SIGKILL')
  await ended
}
