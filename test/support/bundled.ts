import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { packageRoot } from '../../src/spawn/native-program.ts'

/**
 * Programs of the repository as dist/ has them: a few files each, where the sources have hundreds, so that
 * they start as fast and need as few descriptors as what users have. Returns where each of them is, in the
 * order given.
 */
export async function bundled(programs: readonly string[], splitting = true): Promise<string[]> {
  mkdirSync(join(packageRoot, 'build'), { recursive: true })
  // Inside the package, so that node_modules are found.
  const outdir = mkdtempSync(join(packageRoot, 'build', 'bundled-'))
  // For an ordinary user, too.
  chmodSync(outdir, 0o755)
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }))
  await build({
    absWorkingDir: packageRoot,
    entryPoints: [...programs],
    outbase: '.',
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    minify: true,
    keepNames: true,
    logLevel: 'error',
  })
  return programs.map(program => join(outdir, program.replace(/\.ts$/, '.mjs')))
}
