import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { builtVersion } from '../../built.ts'
import { packageRoot } from '../../package-root.ts'

/**
 * Where this runs from the sources, as in tests: who has the shim compiled, so that not every start loads a
 * compiler. Null: nobody.
 */
export const fromSources: { compile: () => string | null } = { compile: () => null }

/** What Node is to run as a shim. */
export function shimArguments(): string[] {
  if (builtVersion !== null) return [join(packageRoot, 'dist/src/spawn/portable/shim.js')]
  const compiled = fromSources.compile()
  if (compiled !== null) return [compiled]
  // The loader that this process runs under.
  const loader = createRequire(join(packageRoot, 'package.json')).resolve('tsx')
  return ['--import', pathToFileURL(loader).href, join(packageRoot, 'src/spawn/portable/shim.ts')]
}
