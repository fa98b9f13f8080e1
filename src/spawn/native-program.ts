import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtNativeSources } from '../built.ts'
import { onceATurn } from '../once-a-turn.ts'
import { ownDirectory, packageRoot } from '../package-root.ts'
import { nativeMark } from './native-mark.ts'
import { whyUnusable } from './native-usable.ts'
import { mayExecute } from './may-execute.ts'

export { packageRoot }

export type NativeProgram = { readonly path: string } | { readonly unavailable: string }

/** Where to look, and for what. Tests give their own. */
export type NativeSearch = {
  readonly env?: NodeJS.ProcessEnv
  readonly platform?: string
  readonly arch?: string
  /** The package. */
  readonly root?: string
  /** The directory of this code, or of the bundle that it is in. */
  readonly beside?: string
  /** The digest of the sources that the program must be built from; null takes any. */
  readonly sources?: string | null
  /** Why a program does not run on this host; null: it does. */
  readonly whyNot?: (path: string) => string | null
}

/**
 * The compiled spawner and shim, or why there is none. In this order: what `HOLDFAST_NATIVE` names (`off`:
 * none), what was built here (build/native), what the package carries (dist/native), and what was laid beside
 * a bundle. One of another version, or that does not run here, is not taken.
 */
export function nativeProgram(): NativeProgram {
  return find(process.env.HOLDFAST_NATIVE)
}

/** A start asks for it five times, and looks at eight files each time. */
const find = onceATurn((named): NativeProgram => findNativeProgram({ env: { HOLDFAST_NATIVE: named } }))

export function findNativeProgram({
  env = process.env,
  platform = process.platform,
  arch = process.arch,
  root = packageRoot,
  beside = ownDirectory,
  sources = builtNativeSources,
  whyNot = whyUnusable,
}: NativeSearch): NativeProgram {
  const override = env.HOLDFAST_NATIVE
  if (override === 'off') return { unavailable: 'HOLDFAST_NATIVE=off leaves only the portable shim' }
  if (override) {
    if (!existsSync(override))
      return { unavailable: `HOLDFAST_NATIVE names ${override}, which does not exist` }
    return examined(override, { sources, whyNot }, 'HOLDFAST_NATIVE names ')
  }
  if (platform !== 'linux') return { unavailable: `the native program is for Linux, this is ${platform}` }
  const found = candidates(root, beside, arch)
    .filter(path => existsSync(path))
    .map(path => examined(path, { sources, whyNot }))
  const taken = found.find(program => 'path' in program) ?? found[0]
  if (taken !== undefined) return taken
  return { unavailable: whyMissing(root, arch) }
}

function candidates(root: string, beside: string, arch: string): string[] {
  return [
    join(root, 'build', 'native', 'holdfast-native'),
    join(root, 'dist', 'native', `linux-${arch}`, 'holdfast-native'),
    join(beside, `holdfast-native-linux-${arch}`),
    join(beside, 'holdfast-native'),
  ]
}

function examined(
  path: string,
  { sources, whyNot }: Required<Pick<NativeSearch, 'sources' | 'whyNot'>>,
  named = '',
): NativeProgram {
  const isOurs = named === ''
  if (!mayExecute(path) && !(isOurs && madeExecutable(path)))
    return { unavailable: `${named}${path} is not executable: chmod +x ${path}` }
  if (sources !== null && nativeMark(path) !== sources)
    return { unavailable: `${named}${path} is not of this version of holdfast (${sources.slice(0, 8)})` }
  const why = whyNot(path)
  return why === null ? { path } : { unavailable: named + why }
}

/** An unpacker may have lost the bit: whoever owns the file gets it back. */
function madeExecutable(path: string): boolean {
  try {
    chmodSync(path, 0o755)
  } catch {
    return false
  }
  return mayExecute(path)
}

function whyMissing(root: string, arch: string): string {
  const said = reasonFile(join(root, 'build', 'native', 'unavailable'))
  if (said !== null) return said
  return arch === 'x64' || arch === 'arm64'
    ? `there is none in ${root}: the package is not whole, or was bundled without it`
    : `the package carries none for ${arch}, and none has been built`
}

function reasonFile(path: string): string | null {
  try {
    const { reason } = JSON.parse(readFileSync(path, 'utf8')) as { reason?: unknown }
    return typeof reason === 'string' ? reason : null
  } catch {
    return null
  }
}
