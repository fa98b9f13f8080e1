#!/usr/bin/env node
// Bundles the inspector's page, web/, to dist/web: what a browser needs, with no address outside of it.
import { build } from 'esbuild'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'dist/web')

mkdirSync(target, { recursive: true })
await build({
  entryPoints: { app: join(root, 'web/main.tsx') },
  outdir: target,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'eof',
  logLevel: 'warning',
})
for (const file of ['index.html', 'icon.svg']) copyFileSync(join(root, 'web', file), join(target, file))
