// Usage: node bundle.mjs [--built] DIR FILE...
// Bundles test files, and the programs they start, into DIR: a guest under software emulation must neither
// compile TypeScript nor find some thousand small files on a network file system (tsx: 40 s before the first
// test; the bundle: 3 s). --built: its portable shim is that of dist/.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const isBuilt = process.argv[2] === '--built'
const [into = '', ...files] = process.argv.slice(isBuilt ? 3 : 2)
const root = fileURLToPath(new URL('../..', import.meta.url))
const programs = join(root, 'test/fixtures/programs')
const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  outExtension: { '.js': '.mjs' },
  conditions: ['development'],
  // Some of what is bundled is CommonJS and calls require().
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  ...(isBuilt && { define: { __HOLDFAST_VERSION__: '"built"' } }),
  logLevel: 'warning',
}

// One file, so that modules with a state (what is to be removed at the end, what has been counted) exist
// once.
const tests = ['test/setup.ts', ...files].map(file => JSON.stringify(join(root, file)))
await build({
  ...common,
  stdin: {
    contents: `export { mochaHooks } from ${tests[0]}\n${tests
      .slice(1)
      .map(file => `import ${file}`)
      .join('\n')}`,
    resolveDir: root,
    loader: 'ts',
  },
  outfile: join(into, 'tests.mjs'),
})
const used = ['start', 'own', 'inherit', 'orchestrator', 'wait', 'fingerprint', 'given', 'disk']
await build({
  ...common,
  entryPoints: readdirSync(programs)
    .filter(file => used.includes(basename(file, '.ts')))
    .map(file => join(programs, file)),
  outdir: join(into, 'programs'),
})

// The guest has no compiler. Tests find it there (test/attacks/hostile.ts), or skip without it.
mkdirSync(join(into, 'hostile'), { recursive: true })
const source = join(root, 'test/fixtures/hostile/without_call.c')
try {
  execFileSync('cc', ['-static', '-O1', '-o', join(into, 'hostile/without_call'), source], { stdio: 'pipe' })
} catch (error) {
  console.error(`bundle: no without_call, and so no tests that need it: ${error.message}`)
}
