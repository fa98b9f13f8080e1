import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { untilNoneLeft } from '../support/leftovers.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { fill, withFilesystem } from '../support/small-filesystem.ts'
import { type Environment, environments, type Step } from './environments.ts'
import { type Programs, Place, programs, type Seen } from './walk.ts'

/**
 * Whatever environment it is started in, a task either runs as it would elsewhere, or is refused in words of
 * our own. Each row: a task's life by the library, a run by the command line, and the commands that look
 * after a task that runs already.
 */
describe('an environment that is hostile:', function () {
  this.timeout(60_000)
  let built: Programs
  const rows = new Map<string, readonly string[]>()
  before(async function () {
    requires(this, 'isolation', 'linux', 'native')
    built = await programs()
  })

  for (const environment of environments)
    it(`${environment.what}: each step does ${summary(environment)}`, async function () {
      requires(
        this,
        ...(environment.needs ?? []),
        ...(environment.as === 'user' ? (['root', 'ordinary-user'] as const) : []),
      )
      if (environment.full) return await withFilesystem('size=1m', path => walked(path, environment))
      const path = temporaryDirectory('place')
      try {
        await walked(path, environment)
      } finally {
        removeTemporary(path)
      }
    })

  it('an argument that is no UTF-8 is refused in our words, too', () => {
    const script = `exec "$@" run --json -- true $'caf\\xe9'`
    const args = ['-c', script, 'bash', process.execPath, ...built.cli]
    const { status, stdout, stderr } = spawnSync('/bin/bash', args, { encoding: 'utf8' })
    assert.deepEqual([status, stderr], [125, ''])
    assert.equal(documentOf(stdout).error?.code, 'INVALID_ARGUMENT')
  })

  async function walked(path: string, environment: Environment): Promise<void> {
    const place = new Place(path, environment, built)
    await place.prepare()
    if (environment.full) fill(place.path)
    const chain = async (...steps: Step[]): Promise<[Step, Seen][]> => {
      const seen: [Step, Seen][] = []
      for (const step of steps) seen.push([step, await place.step(step)])
      return seen
    }
    const first = chain('library', 'run', 'doctor')
    if (environment.alone) await first
    const seen = (await Promise.all([first, chain('ps', 'logs', 'stop', 'rm')])).flat()
    const unattended = place
      .keys()
      .filter(key => !existsSync(join(place.stateDir, 'tasks', key, 'exit.json')))
    const stopped = (environment.expect?.stop ?? 'works') !== 'refused'
    await place.clear()
    for (const [step, what] of seen) {
      assert.equal(
        judged(step, what, environment),
        environment.expect?.[step] ?? 'works',
        `${step}: ${told(what)}`,
      )
    }
    assert.equal(
      unattended.length,
      stopped ? 0 : 1,
      `tasks that nobody looks after: ${unattended.join(', ')}`,
    )
    await untilNoneLeft(place.keys())
    const life = seen[0]?.[1].life
    if (judged('library', seen[0]?.[1] as Seen, environment) === 'works')
      compareRows(life?.rows ?? [], environment)
  }

  function compareRows(seen: readonly string[], { as = 'root' }: Environment): void {
    const expected = rows.get(as)
    if (expected === undefined) rows.set(as, seen)
    else assert.deepEqual(seen, expected)
  }
})

function summary({ expect = {} }: Environment): string {
  const others = [...new Set(Object.values(expect))]
  return others.length === 0 ? 'what it does elsewhere' : `what it does elsewhere, or is ${others.join(', ')}`
}

const told = (seen: Seen): string => JSON.stringify(seen).slice(0, 3000)

/** What it came to; in words of its own what is not to be. */
function judged(step: Step, { code, signal, stdout, stderr, life }: Seen, { says }: Environment): string {
  if (signal !== null || code === null || code >= 128) return `ended by ${signal ?? code}`
  if (/^ +at .*[:/]/m.test(stdout + stderr) || /node:internal/.test(stdout + stderr)) return 'a trace'
  if (step === 'library') return judgedLife(life, says)
  if (code === 0 || (step === 'doctor' && stdout.includes('"ok"'))) return 'works'
  if (code !== (step === 'run' || code === 125 ? 125 : 1)) return `exit code ${code}`
  if (/^holdfast: cannot print/m.test(stderr)) return 'unprinted'
  const { error } = documentOf(stdout)
  if (error !== undefined) {
    const own = failureCodes.includes(error.code) && (error.hint ?? error.path) !== undefined
    return own && (says?.test(JSON.stringify(error)) ?? true) ? 'refused' : 'refused in other words'
  }
  const own = /^holdfast: .+\n {2}hint: .+/m.test(stderr)
  return own && (says?.test(stderr) || /there is no task/.test(stderr)) ? 'refused' : 'refused in other words'
}

function judgedLife(life: Seen['life'], says?: RegExp): string {
  if (life === null) return 'no report'
  const { steps, errors } = life
  if (errors.length === 0) {
    const whole = ['create', 'start', 'wait', 'exited 0 by record', 'destroy', 'close']
    return steps.join() === whole.join() ? 'works' : `did ${steps.join()}`
  }
  const own = errors.every(
    ({ own, hint, step }) => own && hint !== undefined && /^(create|start|destroy)$/.test(step),
  )
  return own && errors.some(({ text, hint }) => says?.test(`${text} ${hint}`) ?? true)
    ? 'refused'
    : 'refused in other words'
}

const failureCodes: readonly string[] = [
  ...['INVALID_ARGUMENT', 'INVALID_STATE', 'NOT_FOUND', 'START_FAILED', 'LIMIT_FAILED', 'ISOLATION_FAILED'],
  ...['STATE_CORRUPT', 'UNSUPPORTED', 'LOST', 'PERMISSION'],
]

type Document = { readonly error?: { readonly code: string; readonly hint?: string; readonly path?: string } }

function documentOf(text: string): Document {
  try {
    return JSON.parse(text) as Document
  } catch {
    return {}
  }
}
