// Usage: node mocha.mjs TESTS   Runs a bundle of tests; its exit status is 1 when a test failed, 2 when none
// ran.
import { pathToFileURL } from 'node:url'
import Mocha from 'mocha'

// For a host that itself fails now and then.
const retries = Number(process.env.HOLDFAST_RETRIES ?? 0)
const mocha = new Mocha({
  timeout: 300_000,
  slow: 60_000,
  forbidOnly: true,
  color: false,
  reporter: 'spec',
  retries,
})
// Under software emulation what is proven by a few hundred starts alike takes minutes, and so does what
// another machine with the same kernel shows (HOLDFAST_LEAVE_OUT, an expression).
const leftOut = ['256 of 256', process.env.HOLDFAST_LEAVE_OUT].filter(Boolean).join('|')
if (process.env.HOLDFAST_GREP) mocha.grep(new RegExp(process.env.HOLDFAST_GREP))
else if (process.env.HOLDFAST_SMALL === '1') mocha.grep(new RegExp(leftOut)).invert()
mocha.suite.emit('pre-require', globalThis, '', mocha)
const { mochaHooks } = await import(pathToFileURL(process.argv[2]).href)
mocha.rootHooks(mochaHooks)
const began = Date.now()
const runner = mocha.run(failures => {
  process.exitCode = failures > 0 ? 1 : runner.stats.passes > 0 ? 0 : 2
})
// At once, and not only at the end, which a machine that is stopped does not reach.
runner.on('fail', (test, error) => console.log(`    FAILED ${test.fullTitle()}: ${error.stack ?? error}`))
runner.on('retry', (test, error) => console.log(`    AGAIN ${test.fullTitle()}: ${error.stack ?? error}`))
runner.on(
  'suite end',
  suite => suite.root || console.log(`    (${Math.round((Date.now() - began) / 1000)} s)`),
)
