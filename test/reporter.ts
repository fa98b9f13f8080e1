import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import Mocha from 'mocha'

const FAILED = fileURLToPath(new URL('../artifacts/failed-tests.tsv', import.meta.url))

/** Mocha's own, which also lists what failed, a line each: the file, a tab, the whole title. CI reads it. */
// eslint-disable-next-line no-restricted-syntax -- mocha takes the default
export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options)
    const failed: string[] = []
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, test => {
      failed.push(`${relative(process.cwd(), test.file ?? '')}\t${test.fullTitle()}\n`)
    })
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      rmSync(FAILED, { force: true })
      if (failed.length === 0) return
      mkdirSync(dirname(FAILED), { recursive: true })
      writeFileSync(FAILED, failed.join(''))
    })
  }
}
