import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { type CrashPoint, crashPoints } from '../../src/task/failpoint.ts'
import type { Death } from '../support/crash/life.ts'
import { play, type Round } from '../support/crash/round.ts'
import { requires } from '../support/requires.ts'

/** Come to by a supervisor that takes tasks over, not by the one that starts them. */
const ofSuccessors: Partial<Record<CrashPoint, Death>> = {
  'found-running': { fault: 'running-saved' },
  'found-ended': { fault: 'gone-seen' },
}
/** Passed many times: not only the first pass is a place to die at. */
const passes: Partial<Record<CrashPoint, readonly number[]>> = {
  'state-half-written': [1, 6, 12],
  'directory-made': [1, 9],
  'intent-written': [1, 9],
  'request-sent': [1, 5, 9],
  'started-received': [1, 8],
  'running-published': [1, 8],
  'journal-written': [1, 5, 9],
  'gone-seen': [1, 6],
  'exited-published': [1, 7],
  'found-ended': [1, 3],
}
const platforms = ['basic', 'linux'] as const
const rounds = Number(process.env.HOLDFAST_CRASH_ROUNDS ?? (process.env.CI ? 300 : 60))
const seed = Number(process.env.HOLDFAST_CRASH_SEED ?? Date.now() % 1_000_000)
const maxMs = 10 * 60_000

describe('a supervisor that is killed', () => {
  before(function () {
    requires(this, 'linux', 'native', 'root')
  })

  for (const point of crashPoints) {
    it(`at ${point}: its successor loses nothing, invents nothing and tells all that is left to tell`, async function () {
      this.timeout(maxMs)
      await inParallel(roundsAt(point))
    })
  }

  it('at a point that docs/crash-points.md does not speak of: there is none', () => {
    const table = readFileSync(new URL('../../docs/crash-points.md', import.meta.url), 'utf8')
    const named = crashPoints.filter(point => table.includes(`\`${point}\``))
    // Those between the first and the last step of a removal are named as a range.
    const range = crashPoints.slice(
      crashPoints.indexOf('destroy-begun'),
      crashPoints.indexOf('destroy-records-removed'),
    )
    assert.deepEqual(
      crashPoints.filter(point => !named.includes(point) && !range.includes(point)),
      [],
    )
  })

  it(`at a random instant, ${rounds} times (seed ${seed})`, async function () {
    this.timeout(maxMs + rounds * 6000)
    await inParallel(Array.from({ length: rounds }, (_, index) => randomRound(index)))
  })
})

function roundsAt(point: CrashPoint): Round[] {
  const before = ofSuccessors[point]
  return (passes[point] ?? [1]).flatMap(pass =>
    platforms.map(platform => {
      const death = { fault: `${point}:${pass}` }
      return {
        title: `at ${point}`,
        platform,
        deaths: before ? [before, death] : [death],
      }
    }),
  )
}

function randomRound(index: number): Round {
  const random = generator(seed + index)
  const instant = (): Death => ({ afterMs: Math.floor(random() ** 1.5 * 250) })
  return {
    title: `round ${index} of seed ${seed}`,
    platform: platforms[index % 2] ?? 'basic',
    deaths: random() < 0.3 ? [instant(), instant()] : [instant()],
  }
}

async function inParallel(waiting: Round[]): Promise<void> {
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await play(next)
  }
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker))
}

/** mulberry32: the same rounds for the same seed. */
function generator(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
