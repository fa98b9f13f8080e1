import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type * as esbuild from 'esbuild'
import { packageRoot } from '../../src/package-root.ts'

type Compiler = Pick<typeof esbuild, 'buildSync'>

let directory: string | undefined

/**
 * A program of the repository as JavaScript, bundled as dist/ is: one that is started some hundred times must
 * neither load a compiler each time nor some hundred files. All are made at the first call of a test process.
 */
export function compiled(program: string): string {
  directory ??= compileAll()
  return join(directory, program.replace(/\.ts$/, '.js'))
}

/**
 * The same; null where there is nothing to compile, or nothing to compile it with, or no right to put it
 * there, as an ordinary user has none.
 */
export function compiledOrNull(program: string): string | null {
  const needed = [program, 'node_modules/esbuild'].map(path => join(packageRoot, path))
  return needed.every(path => existsSync(path)) && isOurs(packageRoot) ? compiled(program) : null
}

function isOurs(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function compileAll(): string {
  mkdirSync(join(packageRoot, 'build'), { recursive: true })
  // Inside the package, so that node_modules are found.
  const into = mkdtempSync(join(packageRoot, 'build', 'programs-'))
  // Some tests start it as another user.
  chmodSync(into, 0o755)
  process.once('exit', () => rmSync(into, { recursive: true, force: true }))
  // Not where these tests are themselves bundled (test/vm).
  const { buildSync } = createRequire(join(packageRoot, 'package.json'))('esbuild') as Compiler
  const programs = 'test/fixtures/programs'
  buildSync({
    absWorkingDir: packageRoot,
    entryPoints: [
      ...['src/cli/main.ts', 'src/index.ts', 'src/spawn/portable/shim.ts'],
      ...readdirSync(join(packageRoot, programs)).map(name => join(programs, name)),
    ],
    outbase: '.',
    outdir: into,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    keepNames: true,
    logLevel: 'error',
  })
  return into
}
