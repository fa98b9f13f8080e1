import { missingOf, requires } from '../support/requires.ts'
import { missingTrait, type Trait } from '../support/traits.ts'
import { withWorkbench } from '../support/workbench.ts'
import type { Adapter, Body, Check, Section } from './contract/adapter.ts'
import { conformanceOf } from './contract/conformance.ts'
import { environment } from './contract/environment.ts'
import { inside } from './contract/inside.ts'
import { interfaces } from './contract/interface.ts'
import { logs } from './contract/logs.ts'
import { observation } from './contract/observation.ts'
import { reopening } from './contract/reopening.ts'
import { counted, skippedBecause } from './contract/report.ts'
import { results } from './contract/results.ts'
import { sessionLimits } from './contract/session-limits.ts'
import { starting } from './contract/starting.ts'
import { stopping } from './contract/stopping.ts'
import { fifos } from './contract/fifos.ts'
import { streams } from './contract/streams.ts'
import { tree } from './contract/tree.ts'
import { updating } from './contract/updating.ts'
import { verifying } from './contract/verifying.ts'

const ofCheck = 'what `doctor --conformance` proves of it'

/**
 * Needs no shim to be decided; with a portable one, each start of which is a Node process, it would be proven
 * again at some cost.
 */
const decidedBefore = 'calls out of turn'

const sections: Readonly<Record<string, Section>> = {
  [ofCheck]: conformanceOf('results', 'stopping', 'reopening'),
  'starting a task': starting,
  'what the task inherits': environment,
  'its result': results,
  'taking it over by its id': reopening,
  'stopping it': stopping,
  'its whole tree': tree,
  'its logs': logs,
  'its standard streams': streams,
  'FIFOs as its standard streams': fifos,
  'watching it': observation,
  'a second command inside it': inside,
  'limits of what exec() starts in it': sessionLimits,
  'other limits for it': updating,
  'what is in force of it': verifying,
  [decidedBefore]: interfaces,
}

/** What is the same wherever the cgroups of tasks lie. */
const withoutCgroups = [
  ...['what the task inherits', 'its result', 'its logs'],
  ...['its standard streams', 'FIFOs as its standard streams', ofCheck, decidedBefore],
]

/** What cgroups have a part in: for a host that differs from another in that alone. */
export function contractOfCgroups(adapter: Adapter): void {
  const parts = Object.entries(sections).filter(([title]) => !withoutCgroups.includes(title))
  declare(`the ${adapter.title} executor`, adapter, Object.fromEntries(parts))
}

/** What every way to run tasks promises. An adapter that passes may be offered as an Executor. */
export function contract(adapter: Adapter): void {
  const { [decidedBefore]: _, ...ofTheShim } = sections
  declare(`the ${adapter.title} executor`, adapter, adapter.native ? sections : ofTheShim)
}

/** Declares sections for one adapter; with its spawner chosen, and skipped where the host cannot run it. */
export function declare(title: string, adapter: Adapter, parts: Readonly<Record<string, Section>>): void {
  describe(title, () => {
    counted(adapter.title)
    const before_ = process.env.HOLDFAST_NATIVE
    before(function () {
      const missing = missingOf(adapter.needs)
      if (missing !== null) skippedBecause(adapter.title, missing)
      requires(this, ...adapter.needs)
      if (!adapter.native) process.env.HOLDFAST_NATIVE = 'off'
    })
    after(() => {
      if (before_ === undefined) delete process.env.HOLDFAST_NATIVE
      else process.env.HOLDFAST_NATIVE = before_
    })
    const check: Check = (what: string, ...[first, last]: readonly unknown[]) => {
      const [needs, body] = (last === undefined ? [[], first] : [first, last]) as [Trait[], Body]
      it(what, function () {
        const missing = missingTrait(needs)
        if (missing === null) return withWorkbench(adapter.platform, body)
        process.stdout.write(`      SKIPPED ${what}: ${missing}\n`)
        this.skip()
      })
    }
    for (const [name, section] of Object.entries(parts)) describe(name, () => section(check, adapter))
  })
}
