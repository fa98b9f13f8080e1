import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { posix } from 'node:path'
import type { Mount } from '../api.ts'
import { defaultPath } from '../default-path.ts'
import { placesOnTheWay } from './links.ts'

export type ToolchainOptions = {
  /** Whose PATH, and whose variables of places. Default: this program's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: that of this program's user. */
  readonly home?: string
  /**
   * What the task is shown besides, by the same paths: its workspace, what it has mounted. Default: nothing.
   */
  readonly shown?: readonly string[]
}

export type Toolchains = {
  /** Read-only, each at its own path. */
  readonly mounts: Mount[]
  /** PATH, and where tools look for what is theirs (PYENV_ROOT, JAVA_HOME, ...). */
  readonly env: Record<string, string>
  /** Directories of PATH that are not shown: each holds more than programs. */
  readonly left: string[]
}

/**
 * What a task needs to find the programs that this program finds: a Node of nvm, a Python of pyenv, what lies
 * in /opt. Of each directory of PATH outside the system's own, the installation that it belongs to (the
 * directory above `bin`, `sbin` or `shims`), or the directory alone: where the one above is or holds the home
 * directory or keys, or does not look like an installation. Where a program of PATH is a link (a Python of a
 * venv, a tool of uv or pipx, /usr/local/bin/node), the installation that it leads to. Never the home
 * directory itself.
 */
export function toolchains({
  env = process.env,
  home = homedir(),
  shown = [],
}: ToolchainOptions = {}): Toolchains {
  const listed = [...new Set((env.PATH ?? '').split(':').filter(path => posix.isAbsolute(path)))]
    .map(path => posix.join(path, '.'))
    .filter(isDirectory)
  const known = [...system, ...shown]
  const others = listed.filter(path => !isIn(path, known))
  const left = others.filter(path => isPrivate(path, home) || isIn(path, notOurs))
  const folders = new Map(listed.filter(path => !left.includes(path)).map(path => [realPath(path), path]))
  const linked = [...folders.values()]
    .flatMap(path => linkedFrom(path, home))
    .filter(path => !isIn(path, [...known, ...notOurs]))
  const places = others.filter(path => !left.includes(path)).map(path => installationOf(path, home))
  const partners = others.flatMap(path => partnersOf(path, env, home))
  const sources = withoutNested([...places, ...linked, ...partners.map(({ path }) => path)])
  const path = [...listed.filter(folder => !left.includes(folder)), ...defaultPath.split(':')]
  return {
    mounts: sources.map(source => ({ source, target: source, readOnly: true })),
    env: {
      ...impliedBy(sources),
      ...Object.fromEntries(
        partners.flatMap(({ variable, path }) => (variable === null ? [] : [[variable, path]])),
      ),
      ...placesIn(env, [...system, ...sources, ...shown]),
      ...Object.fromEntries(versions.flatMap(name => (env[name] === undefined ? [] : [[name, env[name]]]))),
      PATH: [...new Set(path)].join(':'),
    },
    left,
  }
}

const system = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/usr', '/etc']
/** The task's own by that name, or the kernel's. */
const notOurs = ['/alloc', '/local', '/secrets', '/dev', '/proc', '/sys']
/** Below the home directory: shared by programs with what is nobody's business. */
const mixed = ['.local', '.config', '.cache', '.cargo', 'go', '.npm']
const keys = [
  ...['.ssh', '.gnupg', '.aws', '.azure', '.kube', '.docker', '.netrc', '.npmrc', '.pypirc', '.env'],
  ...['.git-credentials', 'credentials', 'credentials.toml', 'config.json', 'id_rsa', 'id_ed25519'],
]
const partsOfAnInstallation = [
  'lib',
  'lib64',
  'libexec',
  'versions',
  'installs',
  'tools',
  'pkg',
  'pyvenv.cfg',
]

/** Variables that say where tools have what is theirs, and hold nothing else. */
const variables = [
  ...['PYENV_ROOT', 'RBENV_ROOT', 'NODENV_ROOT', 'ASDF_DIR', 'ASDF_DATA_DIR', 'MISE_DATA_DIR', 'SDKMAN_DIR'],
  ...['VOLTA_HOME', 'JAVA_HOME', 'GOROOT', 'DOTNET_ROOT', 'GRADLE_HOME', 'MAVEN_HOME', 'HOMEBREW_PREFIX'],
  ...['CONDA_PREFIX', 'VIRTUAL_ENV', 'BUN_INSTALL', 'DENO_INSTALL'],
]

/** Variables that name which of several versions is meant, and hold nothing else. */
const versions = ['PYENV_VERSION', 'RBENV_VERSION', 'NODENV_VERSION', 'RUSTUP_TOOLCHAIN'] as const

/** Where a tool would look by HOME, which in the task is another. */
const byName: Readonly<Record<string, string>> = {
  '.pyenv': 'PYENV_ROOT',
  '.rbenv': 'RBENV_ROOT',
  '.nodenv': 'NODENV_ROOT',
  '.asdf': 'ASDF_DATA_DIR',
  '.volta': 'VOLTA_HOME',
}

function installationOf(path: string, home: string): string {
  if (!['bin', 'sbin', 'shims'].includes(posix.basename(path))) return path
  const whole = posix.dirname(path)
  if (isPrivate(whole, home) || posix.dirname(whole) === '/') return path
  if (keys.some(name => existsSync(posix.join(whole, name)))) return path
  if (!isIn(whole, [home])) return whole
  if (mixed.some(name => whole === posix.join(home, name))) return path
  return partsOfAnInstallation.some(name => existsSync(posix.join(whole, name))) ? whole : path
}

/** It is, holds, or leads to the home directory, or a directory of keys. */
function isPrivate(path: string, home: string): boolean {
  const real = realPath(path)
  const own = [home, realPath(home)]
  return [path, real].some(
    place =>
      own.some(directory => isIn(directory, [place])) ||
      isIn(
        place,
        own.flatMap(directory => ['.ssh', '.gnupg'].map(name => posix.join(directory, name))),
      ),
  )
}

/** The installations that programs of a directory are links to, and those that the links lead through. */
function linkedFrom(path: string, home: string): string[] {
  const folders = linksIn(path).flatMap(link => placesOnTheWay(link).map(place => posix.dirname(place)))
  return [...new Set(folders)].flatMap(bin => {
    if (bin === path || !['bin', 'sbin'].includes(posix.basename(bin))) return []
    const whole = installationOf(bin, home)
    return whole === bin || isPrivate(whole, home) ? [] : [whole]
  })
}

function linksIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter(entry => entry.isSymbolicLink()).map(({ name }) => posix.join(folder, name))
  } catch {
    return [] // who may not list it may still execute what is there
  }
}

/** What the programs of a directory need that lies elsewhere. */
function partnersOf(
  path: string,
  env: NonNullable<ToolchainOptions['env']>,
  home: string,
): { readonly variable: string | null; readonly path: string }[] {
  const rustup = env.RUSTUP_HOME ?? posix.join(home, '.rustup')
  const found = existsSync(posix.join(path, 'rustup')) && isDirectory(rustup) && !isPrivate(rustup, home)
  const store = '/nix/store'
  return [
    ...(found ? [{ variable: 'RUSTUP_HOME', path: rustup }] : []),
    ...(isIn(realPath(path), [store]) ? [{ variable: null, path: store }] : []),
  ]
}

function impliedBy(sources: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    sources.flatMap(source => {
      const variable = byName[posix.basename(source)]
      return variable === undefined ? [] : [[variable, source]]
    }),
  )
}

function placesIn(
  env: NonNullable<ToolchainOptions['env']>,
  shown: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    variables.flatMap(name => {
      const value = env[name]
      return value !== undefined && isIn(value, shown) ? [[name, value]] : []
    }),
  )
}

function withoutNested(paths: readonly string[]): string[] {
  const all = [...new Set(paths)]
  return all.filter(path => !all.some(other => other !== path && isIn(path, [other])))
}

function isIn(path: string, folders: readonly string[]): boolean {
  return folders.some(folder => path === folder || path.startsWith(`${folder.replace(/\/$/, '')}/`))
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
