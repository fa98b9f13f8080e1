import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type NativeProgram = { readonly path: string } | { readonly unavailable: string }

/** The compiled spawner and shim, or why there is none. `HOLDFAST_NATIVE` names another build, or `off`. */
export function nativeProgram(env: NodeJS.ProcessEnv = process.env): NativeProgram {
  const override = env.HOLDFAST_NATIVE
  if (override === 'off') return { unavailable: 'HOLDFAST_NATIVE=off asks for the portable shim' }
  if (override) {
    return existsSync(override)
      ? { path: override }
      : { unavailable: `HOLDFAST_NATIVE names ${override}, which does not exist` }
  }
  if (process.platform !== 'linux')
    return { unavailable: `the native program is for Linux, this is ${process.platform}` }
  const build = join(packageRoot, 'build', 'native')
  const path = join(build, 'holdfast-native')
  if (existsSync(path)) return { path }
  return {
    unavailable:
      reasonFile(join(build, 'unavailable')) ??
      'it has not been built; run `npm run build` in the holdfast package',
  }
}

function reasonFile(path: string): string | null {
  try {
    const { reason } = JSON.parse(readFileSync(path, 'utf8')) as { reason?: unknown }
    return typeof reason === 'string' ? reason : null
  } catch {
    return null
  }
}

/** Where package.json lies, from the sources as well as from dist/. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)))

function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from
  const parent = dirname(from)
  return parent === from ? from : findRoot(parent)
}
