#!/usr/bin/env node
// Makes dist/ of src/ and machines/: declarations by tsc, and JavaScript by esbuild, which puts what is
// always loaded together into one file and what a command or a subpath alone needs into files of its own. All
// entries share one copy of every module.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, relative } from 'node:path'
import { build } from 'esbuild'
import { root, sourcesDigest } from './native-sources.mjs'
import { joinSmallChunks } from './small-chunks.mjs'

const dist = join(root, 'dist')
const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const machines = 'machines/index.ts'

/**
 * What a caller's streams and ours must share: one Observable, and what tells a subscriber from anybody else.
 */
const sharedOfRxjs = new Set(
  ['Observable', 'Subject', 'BehaviorSubject', 'Subscription', 'Subscriber', 'config'].map(
    name => `internal/${name}`,
  ),
)

/** The entries of package.json, and what is started as a program of its own. */
const entries = [
  'src/index.ts',
  machines,
  'src/conformance/index.ts',
  'src/inspector/index.ts',
  'src/metrics/index.ts',
  'src/cli/main.ts',
  'src/spawn/portable/shim.ts',
]

for (const old of ['src', 'machines', 'chunks']) rmSync(join(dist, old), { recursive: true, force: true })
const tsc = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')],
  { stdio: 'inherit' },
)
if (tsc.status !== 0) process.exit(tsc.status ?? 1)

const common = {
  absWorkingDir: root,
  outbase: '.',
  outdir: dist,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  plugins: [onlyWhatIsUsedOfRxjs(), builtinsOfCommonJs()],
  define: {
    __HOLDFAST_VERSION__: JSON.stringify(version),
    __HOLDFAST_NATIVE_SOURCES__: JSON.stringify(sourcesDigest()),
  },
  legalComments: 'none',
  // Half the bytes, and half the time to read them. Names stay, so that a stack still says where it was.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  metafile: true,
  logLevel: 'warning',
}
// A caller's Observable and ours must be one, and so must the XState that a caller runs the machines with.
// What runs them here is seen by nobody, and is read four times as fast from one file with what is used of
// it. All else is ours alone, and goes into dist.
const made = await Promise.all([
  build({ ...common, entryPoints: entries.filter(entry => entry !== machines), external: ['rxjs'] }),
  build({ ...common, entryPoints: [machines], external: Object.keys(dependencies) }),
])
await joinSmallChunks(made[0].metafile, root, 'dist/src/index.js')
const inputs = made.flatMap(({ metafile }) => Object.keys(metafile.inputs))
writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), licenses([...new Set(inputs)]))
chmodSync(join(dist, 'src/cli/main.js'), 0o755)

/**
 * `rxjs` is some 200 files, of which few are used: each name is imported from the file that has it. The
 * classes are the very ones that `rxjs` itself consists of, so that there is one Observable; operators have
 * no identity, and go into dist.
 */
function onlyWhatIsUsedOfRxjs() {
  const esm = join(root, 'node_modules/rxjs/dist/esm')
  const index = readFileSync(join(esm, 'index.js'), 'utf8')
  const resolved = file =>
    sharedOfRxjs.has(file)
      ? { path: `rxjs/${file}`, external: true, sideEffects: false }
      : { path: join(esm, `${file}.js`), sideEffects: false }
  const files = new Map(
    [...index.matchAll(/^export \{ ([\w, ]+) \} from '\.\/(internal\/[^']+)'/gm)].flatMap(([, names, file]) =>
      names.split(', ').map(name => [name, `rxjs/${file}`]),
    ),
  )
  const imported = (_, names) =>
    names
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== '' && !name.startsWith('type '))
      .map(name => `import { ${name} } from '${files.get(name) ?? 'rxjs'}';`)
      .join(' ')
  return {
    name: 'only what is used of rxjs',
    setup({ onResolve, onLoad }) {
      onLoad({ filter: /[\\/](src|machines)[\\/].*\.ts$/ }, ({ path }) => ({
        contents: readFileSync(path, 'utf8').replace(/^import \{([^}]*)\} from 'rxjs'$/gm, imported),
        loader: 'ts',
      }))
      onResolve({ filter: /^rxjs/ }, ({ path }) => {
        if (!path.startsWith('rxjs/internal/'))
          throw new Error(`${path}: of rxjs, names that its index exports are imported, by name`)
        return resolved(path.slice('rxjs/'.length))
      })
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const file = relative(esm, join(resolveDir, path))
        return file.startsWith('internal/') ? resolved(file) : null
      })
    },
  }
}

/**
 * A CommonJS package that requires one of Node's modules: there is no `require` in an ES module, nor an
 * import.meta in a caller's bundle.
 */
function builtinsOfCommonJs() {
  return {
    name: "Node's modules in CommonJS packages",
    setup({ onResolve, onLoad }) {
      const isBuiltin = new Set(builtinModules)
      onResolve({ filter: /.*/ }, ({ path, kind }) => {
        if (kind !== 'require-call' || !isBuiltin.has(path.replace(/^node:/, ''))) return null
        return { path: path.replace(/^node:/, ''), namespace: 'builtin' }
      })
      onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
        contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
      }))
    },
  }
}

/** Whose code is in dist: name, version and licence of each package. */
function licenses(inputs) {
  const folders = new Set(
    inputs.flatMap(input => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []),
  )
  const texts = [...folders].sort().map(folder => {
    const {
      name,
      version: itsVersion,
      license,
    } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const file = ['LICENSE', 'LICENSE.md', 'license', 'LICENCE', 'LICENSE.txt', 'License'].find(one =>
      existsSync(join(root, folder, one)),
    )
    const text = file === undefined ? '' : readFileSync(join(root, folder, file), 'utf8').trim()
    return `${name} ${itsVersion} (${license})\n\n${text}\n`
  })
  return `dist/ holds code of these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`
}
