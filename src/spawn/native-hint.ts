import { existsSync, readFileSync } from 'node:fs'
import { basename, delimiter, dirname, join, sep } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { packageRoot } from '../package-root.ts'

/** How this package came to where it is. */
export type Installation =
  | { readonly by: 'clone' | 'bundle' | 'unpacked'; readonly root: string }
  /** `project` is the directory in which the package manager is called. */
  | { readonly by: Manager; readonly root: string; readonly project: string; readonly global: boolean }

type Manager = 'npm' | 'pnpm' | 'yarn' | 'yarn-classic' | 'bun'

type Sources = {
  readonly root?: string
  readonly env?: NodeJS.ProcessEnv
  readonly arch?: string
}

/** Tasks on the Linux executor cannot be started: nothing falls back to less. */
export function nativeMissing(unavailable: string, sources: Sources = {}): HoldfastError {
  return new HoldfastError('UNSUPPORTED', `isolation needs the native program, and ${unavailable}`, {
    stage: 'spawner',
    hint: `${nativeHint(sources)}. To run without any isolation, ask for the Basic executor by name: newBasicExecutor(), holdfast run --basic`,
  })
}

/** What gives this very installation a native program that runs: only commands that can work in it. */
export function nativeHint({
  root = packageRoot,
  env = process.env,
  arch = process.arch,
}: Sources = {}): string {
  if (process.platform !== 'linux') return 'run it on Linux'
  if (env.HOLDFAST_NATIVE === 'off') return 'unset HOLDFAST_NATIVE'
  if (env.HOLDFAST_NATIVE)
    return 'set HOLDFAST_NATIVE to a holdfast-native program that this host can execute, or unset it'
  const installation = installationOf(root)
  if (installation.by === 'bundle')
    return 'put a copy of holdfast-native, from the installed package, beside the bundle, and set HOLDFAST_NATIVE to its path'
  if (hasCompiler(env)) return rebuild(installation)
  const compiler =
    'install a C compiler (apt-get install gcc libc6-dev, or apk add gcc musl-dev linux-headers)'
  const build = `${compiler}, then ${rebuild(installation)}`
  // Those that the package brings with it: who lacks it has lost it.
  return installation.by !== 'clone' && (arch === 'x64' || arch === 'arm64')
    ? `${reinstall(installation)}; or ${build}`
    : build
}

/** By the files that each package manager leaves. `root` is where package.json lies. */
export function installationOf(root: string): Installation {
  if (nameIn(root) !== 'holdfast') return { by: 'bundle', root }
  const parts = root.split(sep)
  const at = parts.indexOf('node_modules')
  // What is packed has no configuration of the build.
  if (at < 0) return { by: existsSync(join(root, 'tsconfig.build.json')) ? 'clone' : 'unpacked', root }
  const modules = parts.slice(0, at + 1).join(sep)
  const unplugged = parts.indexOf('.yarn')
  const project = parts.slice(0, unplugged > 0 && unplugged < at ? unplugged : at).join(sep) || sep
  const by = managerOf(root, modules, project)
  return { by, root, project, global: isGlobal(by, modules, project) }
}

function managerOf(root: string, modules: string, project: string): Manager {
  const has = (...names: string[]) => names.some(name => existsSync(join(modules, name)))
  if (root.includes(`${sep}.yarn${sep}`) || has('.yarn-state.yml')) return 'yarn'
  if (root.includes(`${sep}.pnpm${sep}`) || has('.modules.yaml')) return 'pnpm'
  if (root.includes(`${sep}.bun${sep}`) || has('.bun')) return 'bun'
  if (has('.yarn-integrity')) return 'yarn-classic'
  if (has('.package-lock.json')) return 'npm'
  return ['bun.lock', 'bun.lockb'].some(name => existsSync(join(project, name))) ? 'bun' : 'npm'
}

/**
 * npm's lie in `<prefix>/lib/node_modules`, which is no project; the others have a directory called `global`.
 */
function isGlobal(by: Manager, modules: string, project: string): boolean {
  if (by === 'npm') return basename(dirname(modules)) === 'lib' && !existsSync(join(project, 'package.json'))
  return project.split(sep).includes('global')
}

function rebuild(installation: Installation): string {
  switch (installation.by) {
    case 'clone':
      return `run npm run build in ${installation.root}`
    case 'bundle':
    case 'unpacked':
      return `run node scripts/build-native.mjs in ${installation.root}`
    case 'npm':
      return installation.global
        ? 'run npm rebuild --global holdfast'
        : `run npm rebuild holdfast in ${installation.project} (since npm 12, npm install-scripts approve holdfast before it; where scripts are switched off, with --ignore-scripts=false)`
    case 'pnpm':
      return installation.global
        ? 'run pnpm approve-builds --global, and choose holdfast'
        : `run pnpm approve-builds in ${installation.project}, choose holdfast, then pnpm rebuild holdfast`
    case 'yarn':
      return `put "dependenciesMeta": { "holdfast": { "built": true, "unplugged": true } } into ${join(installation.project, 'package.json')}, then run yarn rebuild holdfast (with enableScripts: true in .yarnrc.yml)`
    case 'yarn-classic':
      return `run yarn install --force in ${installation.project}`
    case 'bun':
      return `run bun pm trust holdfast in ${installation.project}`
  }
}

function reinstall(installation: Installation): string {
  if (!('project' in installation)) return 'unpack the package again'
  if (installation.by === 'pnpm') return `run pnpm install --force in ${installation.project}`
  return `remove ${installation.root} and install the package again`
}

function nameIn(root: string): unknown {
  try {
    return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name?: unknown }).name
  } catch {
    return null
  }
}

/** What scripts/build-native.mjs would find. */
function hasCompiler({ CC, PATH = '' }: NodeJS.ProcessEnv): boolean {
  return [CC || 'cc', 'musl-gcc'].some(
    name =>
      (name.includes('/') && existsSync(name)) ||
      PATH.split(delimiter).some(directory => directory !== '' && existsSync(join(directory, name))),
  )
}
