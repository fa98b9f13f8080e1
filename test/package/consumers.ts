import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { packageRoot } from '../../src/package-root.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import {
  copyOf,
  emptyProject,
  loadedBy,
  pack,
  packWithoutCompilers,
  type Ran,
  run,
  sizeOf,
} from './package.ts'

const native = `holdfast-native-linux-${process.arch}`

/** Runs an isolated task, and prints what it printed. */
const program = `
async function main() {
  const task = command('id', '-un')
  await task.start()
  const { exitCode } = await task.wait()
  const chunks = []
  await new Promise((resolve, reject) =>
    task.logs$('stdout').subscribe({ next: bytes => chunks.push(bytes), error: reject, complete: resolve }))
  process.stdout.write(Buffer.concat(chunks))
  await task.destroy()
  process.exitCode = exitCode
}
main().catch(error => { console.error(error.code, error.stage, error.message); process.exitCode = 9 })
`

describe('the package as it is installed, on a PATH without compilers', function () {
  this.timeout(600_000)
  let tarball: string
  let installed: string

  before(function () {
    requires(this, 'linux', 'root')
    tarball = pack().tarball
    installed = emptyProject('npm', { type: 'module' })
    succeeded(run(installed, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball]))
  })

  it('cannot be packed without the compilers of both architectures, and says what to install', () => {
    const { status, stderr } = packWithoutCompilers()
    assert.equal(status, 1)
    assert.match(stderr, /linux-x64: .*\n.*linux-arm64: .*\n.*apt-get install gcc .*gcc-aarch64-linux-gnu/)
  })

  it('takes 30 MB at most, and no package that only a server or the command line needs', () => {
    assert.ok(sizeOf(join(installed, 'node_modules')) < 30e6)
    for (const name of ['elkjs', 'hono', '@grpc/grpc-js', 'protobufjs', 'prom-client', 'zod'])
      assert.ok(!existsSync(join(installed, 'node_modules', name)), name)
  })

  it('brings a manual page and completes in a shell', () => {
    assert.match(
      readFileSync(join(installed, 'node_modules/holdfast/dist/man/holdfast.1'), 'utf8'),
      /^\.SH NAME\nholdfast/m,
    )
    const { stdout } = run(installed, 'npx', ['holdfast', 'completion', 'bash'])
    assert.match(stdout, /complete .* -F _holdfast holdfast/)
  })

  it('is loaded from a third of the 700 files that it once was at most, and without server or driver', () => {
    const loaded = loadedBy(installed, ['-e', "import('holdfast')"])
    assert.ok(loaded.some(url => url.endsWith('/dist/src/index.js')))
    assert.ok(loaded.length <= 233, `${loaded.length} files`)
    assert.deepEqual(
      loaded.filter(url => /inspector|metrics|nomad|cli|node_modules\/xstate/.test(url)),
      [],
    )
    // Its own 8, of which one holds all that is small, and 19 of rxjs.
    assert.ok(loaded.length <= 30, `${loaded.length} files: something new is read by whoever only imports it`)
  })

  it('reads no module of Node for whoever imports it that a start alone needs', () => {
    const source = `const before = new Set(process.moduleLoadList)
      await import('holdfast')
      const added = process.moduleLoadList.filter(name => !before.has(name))
      console.log(added.filter(name => /^NativeModule (crypto|http|https|tls|worker_threads|zlib)$/.test(name)).join())`
    assert.equal(succeeded(run(installed, 'node', ['--input-type=module', '-e', source])).stdout, '\n')
  })

  it('isolates when npm has run no script', () => isNobody(installed, 'npx', ['--no-install', 'holdfast']))

  it('runs nothing and exits 125 when its native programs are gone', () => {
    const broken = copyOf(installed)
    rmSync(join(broken, 'node_modules/holdfast/dist/native'), { recursive: true })
    runsNothing(broken, 'npx', ['--no-install', 'holdfast'])
  })

  it('isolates when pnpm has installed it', () => {
    const project = emptyProject('pnpm')
    const pnpm = tool('pnpm@10', 'pnpm/bin/pnpm.cjs')
    succeeded(run(project, 'node', [pnpm, 'add', tarball, '--store-dir', join(dirname(project), 'store')]))
    isNobody(project, 'node', [pnpm, 'exec', 'holdfast'])
    const inStore = realpathSync(join(project, 'node_modules/holdfast'))
    rmSync(join(inStore, 'dist/native'), { recursive: true })
    runsNothing(project, 'node', [pnpm, 'exec', 'holdfast'])
  })

  for (const linker of ['pnp', 'node-modules'])
    it(`isolates when yarn has installed it, linked by ${linker}`, () => {
      const yarn = tool('@yarnpkg/cli-dist@4', '@yarnpkg/cli-dist/bin/yarn.js')
      const project = emptyProject('yarn')
      writeFileSync(join(project, 'yarn.lock'), '')
      writeFileSync(join(project, '.yarnrc.yml'), `nodeLinker: ${linker}\nenableTelemetry: false\n`)
      const env = { YARN_NPM_REGISTRY_SERVER: registry(), YARN_GLOBAL_FOLDER: join(dirname(project), 'yarn') }
      succeeded(run(project, 'node', [yarn, 'add', `holdfast@file:${tarball}`], env))
      isNobody(project, 'node', [yarn, 'holdfast'], env)
    })

  it('can be required', () => {
    const said = succeeded(run(installed, 'node', ['--input-type=commonjs', '-e', required]))
    assert.equal(said.stdout, 'function function function function\n')
  })

  it('is one copy of every class, whichever entry it is had from', () => {
    const source = `import { HoldfastError } from 'holdfast'
      import { inspector } from 'holdfast/inspector'
      import { Observable } from 'rxjs'
      import { Supervisor } from 'holdfast'
      const failed = await inspector({}).catch(error => error)
      console.log(failed instanceof HoldfastError, new Supervisor().results$ instanceof Observable)`
    const said = succeeded(run(installed, 'node', ['--input-type=module', '-e', source]))
    assert.equal(said.stdout, 'true true\n')
  })

  it('has machines that the XState of the caller runs', () => {
    const source = `import { StateMachine, createActor } from 'xstate'
      import { taskMachine } from 'holdfast/machines'
      import { Supervisor } from 'holdfast'
      const seen = new Set()
      const supervisor = new Supervisor({ inspect: event => seen.add(event.type) })
      await supervisor.command('true').limit({ pids: 5 })
      console.log(taskMachine instanceof StateMachine, typeof createActor(taskMachine, { input: {} }).start, [...seen].sort().join())`
    const said = succeeded(run(installed, 'node', ['--input-type=module', '-e', source]))
    assert.match(said.stdout, /^true function @xstate\.actor,@xstate\.event/)
  })

  for (const [module, resolution, type] of [
    ['nodenext', 'nodenext', 'module'],
    ['nodenext', 'nodenext', 'commonjs'],
    ['node16', 'node16', 'module'],
    ['esnext', 'bundler', 'module'],
  ] as const)
    it(`has types for moduleResolution ${resolution} in a package of type ${type}`, () => {
      const project = typescriptProject(installed, { module, moduleResolution: resolution }, type)
      succeeded(run(project, 'node', [join(packageRoot, 'node_modules/typescript/bin/tsc'), '-p', '.']))
      const wrong = `${typescript}\nconst wrong: number = command('id').state\nvoid wrong\n`
      writeFileSync(join(project, 'index.ts'), wrong)
      const refused = run(project, 'node', [
        join(packageRoot, 'node_modules/typescript/bin/tsc'),
        ...['-p', '.', '--skipLibCheck'],
      ])
      assert.match(refused.stdout, /index\.ts.*error TS2322/)
    })

  for (const format of ['esm', 'cjs'] as const)
    describe(`bundled by esbuild as ${format}`, () => {
      let bundle: string

      before(async () => {
        const source = join(installed, `app-${format}.mjs`)
        writeFileSync(source, `import { command } from 'holdfast'\n${program}`)
        bundle = join(installed, 'out', `app.${format === 'esm' ? 'mjs' : 'cjs'}`)
        const options = {
          bundle: true,
          platform: 'node',
          format,
          outfile: bundle,
          logLevel: 'error',
        } as const
        await build({ entryPoints: [source], ...options })
      })

      const moved = (): string => {
        const folder = join(temporaryDirectory('bundle'), 'app')
        mkdirSync(folder)
        cpSync(bundle, join(folder, 'app'.concat(bundle.slice(-4))))
        return folder
      }
      const start = (folder: string, env: Record<string, string> = {}) =>
        run(folder, 'node', [join(folder, `app${bundle.slice(-4)}`)], env)

      it('finds the native program in the package that it was made from', () =>
        assert.equal(succeeded(start(dirname(bundle))).stdout, 'nobody\n'))

      it('finds it beside itself', () => {
        const folder = moved()
        cpSync(carried(), join(folder, native))
        assert.equal(succeeded(start(folder)).stdout, 'nobody\n')
      })

      it('finds it by HOLDFAST_NATIVE', () =>
        assert.equal(succeeded(start(moved(), { HOLDFAST_NATIVE: carried() })).stdout, 'nobody\n'))

      it('runs nothing without one, nor by that of another version', () => {
        const other = join(temporaryDirectory('other'), 'holdfast-native')
        cpSync('/bin/true', other)
        for (const env of [{}, { HOLDFAST_NATIVE: other }]) {
          const { status, stdout, stderr } = start(moved(), env)
          assert.equal(stdout, '')
          assert.equal(status, 9, stderr)
          assert.match(stderr, /^UNSUPPORTED spawner /)
        }
      })
    })

  function carried(): string {
    return join(installed, `node_modules/holdfast/dist/native/linux-${process.arch}/holdfast-native`)
  }
})

const required =
  "const { command, Supervisor } = require('holdfast'); const { inspector } = require('holdfast/inspector'); const { metrics } = require('holdfast/metrics')\n" +
  'console.log(typeof command, typeof Supervisor, typeof inspector, typeof metrics)'

const typescript = `import { command, HoldfastError, Supervisor, type Executor } from 'holdfast'
import { inspector } from 'holdfast/inspector'
import { metrics } from 'holdfast/metrics'
import { taskMachine } from 'holdfast/machines'
import { conformance } from 'holdfast/conformance'
export const task: Executor = command('id')
export async function all(): Promise<string> {
  const supervisor = new Supervisor({})
  const page = await inspector({ supervisor })
  void [taskMachine, conformance, HoldfastError]
  return page.url + (await metrics({ supervisor }).text())
}
`

function typescriptProject(from: string, options: Readonly<Record<string, unknown>>, type: string): string {
  const project = emptyProject('typescript', { type })
  const modules = join(project, 'node_modules')
  cpSync(join(from, 'node_modules'), modules, { recursive: true, verbatimSymlinks: true })
  mkdirSync(join(modules, '@types'), { recursive: true })
  symlinkSync(join(packageRoot, 'node_modules/@types/node'), join(modules, '@types/node'))
  const compilerOptions = { strict: true, noEmit: true, target: 'es2022', types: ['node'], ...options }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.ts'] }))
  writeFileSync(join(project, 'index.ts'), typescript)
  return project
}

function isNobody(project: string, file: string, args: string[], env: Record<string, string> = {}): void {
  const ran = succeeded(run(project, file, [...args, 'run', '--strict', '-q', '--', 'id', '-un'], env))
  assert.equal(ran.stdout, 'nobody\n')
}

/** In the project it could write as root and without isolation, which is what must not come to pass. */
function runsNothing(project: string, file: string, args: string[]): void {
  const sign = join(project, 'ran')
  const control = run(project, file, [...args, 'run', '--basic', '--', 'touch', sign])
  assert.ok(existsSync(sign), `--basic, which asks for it, writes there: ${control.stderr}`)
  rmSync(sign)
  for (const strict of [[], ['--strict']]) {
    const { status, stderr } = run(project, file, [...args, 'run', ...strict, '--', 'touch', sign])
    assert.ok(!existsSync(sign), 'the program ran')
    assert.equal(status, 125, stderr)
  }
}

function tool(spec: string, file: string): string {
  const folder = emptyProject('tool')
  succeeded(run(folder, 'npm', ['install', '--no-audit', '--no-fund', spec]))
  return join(folder, 'node_modules', file)
}

function registry(): string {
  return run('/', 'npm', ['config', 'get', 'registry']).stdout.trim()
}

function succeeded(ran: Ran): Ran {
  assert.equal(ran.status, 0, `${ran.stderr}${ran.stdout}`)
  return ran
}
