import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtVersion } from './built.ts'

/**
 * The directory of this file or, where another program was bundled with this library, of the bundle. A bundle
 * in CommonJS has no import.meta.url. Never the working directory: what lies there may be anybody's.
 */
export const ownDirectory = findOwnDirectory()

/**
 * Where holdfast's package.json lies, from the sources, from dist/, and from a bundle with a node_modules
 * above it; else the own directory.
 */
export const packageRoot = findPackage(ownDirectory) ?? ownDirectory

/**
 * holdfast's own; `unknown` where another program was bundled with the sources, and the package is not there.
 */
export const version: string = builtVersion ?? description(packageRoot).version ?? 'unknown'

function findOwnDirectory(): string {
  const url: string | undefined = import.meta.url
  if (url !== undefined) return dirname(fileURLToPath(url))
  return typeof __dirname === 'string' ? __dirname : dirname(process.execPath)
}

function findPackage(from: string): string | null {
  if (description(from).name === 'holdfast') return from
  const installed = join(from, 'node_modules', 'holdfast')
  if (existsSync(join(installed, 'package.json'))) return installed
  const parent = dirname(from)
  return parent === from ? null : findPackage(parent)
}

function description(directory: string): { readonly name?: string; readonly version?: string } {
  try {
    return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as ReturnType<typeof description>
  } catch {
    return {}
  }
}
