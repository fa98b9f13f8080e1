import assert from 'node:assert/strict'
import { Supervisor } from '../../src/index.ts'

describe("a supervisor's options", () => {
  for (const [options, message] of [
    [{ stateDir: '' }, /stateDir: got "", takes the path/],
    [{ stateDir: 5 }, /stateDir: got 5, takes the path/],
    [{ orphans: 'eat' }, /orphans: got "eat", takes "keep" or "kill"/],
    [{ durability: true }, /durability: got true, takes "host" or "process"/],
    [{ shutdown: { signal: 'TERM' } }, /shutdown.signal: got "TERM", takes/],
    [{ shutdown: { graceMs: -1 } }, /shutdown.graceMs: got -1, takes/],
    [{ shutdown: { grace: 1 } }, /shutdown: got .*, takes an object with signal, graceMs and target/],
    [{ statedir: '/x' }, /supervisor options: got .*, takes an object with stateDir, /],
    [null, /supervisor options: got null, takes an object/],
  ] as const) {
    it(`refuses ${JSON.stringify(options)}, naming what it got and what it takes`, () => {
      assert.throws(() => new Supervisor(options as never), { code: 'INVALID_ARGUMENT', message })
    })
  }
})
