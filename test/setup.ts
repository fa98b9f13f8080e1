import pidusage from 'pidusage'
import { replaceOk } from './support/plain-ok.ts'
import { temporaryDirectory } from './support/temporary.ts'

replaceOk()

/** Whoever forgets to say where, must not write into the machine's own state directory. */
process.env.HOLDFAST_STATE_DIR = temporaryDirectory('state')

const warnings: Error[] = []
process.on('warning', warning => warnings.push(warning))

export const mochaHooks = {
  afterAll(): void {
    // Its timer would keep the run alive.
    pidusage.clear()
    // A leak of listeners, a deprecated call, an unhandled rejection: nobody reads them in a passing run.
    if (warnings.length > 0) throw new Error(`process warnings: ${warnings.map(String).join('; ')}`)
  },
}
