import { rmSync } from 'node:fs'
import pidusage from 'pidusage'
import { removeTemporaries, temporaryDirectory } from './support/temporary.ts'

/** Whoever forgets to say where, must not write into the machine's own state directory. */
const stateDir = temporaryDirectory('state')
process.env.HOLDFAST_STATE_DIR = stateDir

const warnings: Error[] = []
process.on('warning', warning => warnings.push(warning))

export const mochaHooks = {
  afterAll(): void {
    // Its timer would keep the run alive.
    pidusage.clear()
    rmSync(stateDir, { recursive: true, force: true })
    removeTemporaries()
    // A leak of listeners, a deprecated call, an unhandled rejection: nobody reads them in a passing run.
    if (warnings.length > 0) throw new Error(`process warnings: ${warnings.map(String).join('; ')}`)
  },
}
