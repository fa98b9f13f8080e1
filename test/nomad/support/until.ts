import { setTimeout as sleep } from 'node:timers/promises'

/** By how much longer everything takes here: a machine under software emulation, see test/vm/nomad. */
export const patience = process.env.HOLDFAST_SMALL === '1' ? 6 : 1

/** Looks until it is so; half a minute is for machines that do much else. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  maxMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + maxMs * patience
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`it has not come about that ${what}`)
    await sleep(50)
  }
}
