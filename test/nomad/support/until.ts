import { setTimeout as sleep } from 'node:timers/promises'

/** Looks until it is so; half a minute is for machines that do much else. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  mostMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + mostMs
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`it has not come about that ${what}`)
    await sleep(50)
  }
}
