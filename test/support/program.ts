import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { nodePath } from '../../src/spawn/portable/node-path.ts'
import { compiledOrNull } from './compiled.ts'

/**
 * The command line of one of test/fixtures/programs: compiled where the tests are (test/vm/bundle.mjs), or at
 * the first use of any, else through tsx.
 */
export function programCommand(name: string): string[] {
  const bundled = fileURLToPath(new URL(`./programs/${name}.mjs`, import.meta.url))
  const compiled = existsSync(bundled) ? bundled : compiledOrNull(`test/fixtures/programs/${name}.ts`)
  if (compiled !== null) return [nodePath(), compiled]
  const source = join(fileURLToPath(new URL('../fixtures/programs/', import.meta.url)), `${name}.ts`)
  const loader = createRequire(import.meta.url).resolve('tsx')
  return [nodePath(), '--import', pathToFileURL(loader).href, source]
}
