import { strict as assert } from 'node:assert'
import { type Check, checks, runCheck } from '../../../src/conformance/index.ts'
import { isRoot } from '../../support/identity.ts'
import type { Adapter, Section } from './adapter.ts'

/** What an adapter may leave unproven, and why: it does not promise it. */
const unpromised = (adapter: Adapter): RegExp => {
  // An ordinary user may lack cgroups; root may, where the kernel does not account for swap.
  if (adapter.platform === 'linux') return isRoot ? /swap/ : /./
  const basic = 'the basic executor (promises no|has no)'
  const portable = 'the portable shim (measures nothing|kills the process group only)'
  return new RegExp(adapter.native ? basic : `${basic}|${portable}`)
}

/** The checks of `doctor --conformance`, in the shell of a Unix: a contract proves what goes beyond them. */
export const conformanceOf =
  (...groups: readonly Check['group'][]): Section =>
  (_check, adapter) => {
    if (process.platform === 'win32') return
    const proven = { ...adapter, name: adapter.title }
    for (const check of checks.filter(({ group }) => groups.includes(group)))
      it(check.name, async () => {
        const { status, why } = await runCheck(proven, check)
        if (status === 'skipped') assert.match(why ?? '', unpromised(adapter), 'a skip without a reason')
        else assert.deepEqual({ status, why }, { status: 'passed', why: null })
      })
  }
