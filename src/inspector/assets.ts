import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../index.ts'
import { packageRoot } from '../package-root.ts'

export type Asset = { readonly type: string; readonly body: string }

const files: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/app.js': ['app.js', 'text/javascript; charset=utf-8'],
  '/app.css': ['app.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
}

/**
 * The page's files, by the path they are asked for: no path of a request ever becomes one of a file. Throws
 * NOT_FOUND.
 */
export function readAssets(): ReadonlyMap<string, Asset> {
  const dir = join(packageRoot, 'dist', 'web')
  try {
    return new Map(
      Object.entries(files).map(([path, [file, type]]) => [
        path,
        { type, body: readFileSync(join(dir, file), 'utf8') },
      ]),
    )
  } catch (error) {
    throw new HoldfastError('NOT_FOUND', `the inspector's page is not there: ${(error as Error).message}`, {
      path: dir,
      cause: error,
      hint: 'Run `npm run build` in the holdfast package.',
    })
  }
}
