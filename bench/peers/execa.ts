import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { type Contender, nothingToTidy } from '../contender.ts'

export const execaPeer: Contender = {
  name: 'execa',
  version: installedVersion(),
  does: 'nothing isolated, nothing recorded',
  async run() {
    await execa('/bin/true', [], { stdio: 'ignore' })
    return nothingToTidy
  },
  async close() {},
}

/** Its exports hide package.json; index.js lies beside it. */
function installedVersion(): string {
  const root = dirname(fileURLToPath(import.meta.resolve('execa')))
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return version
}
