import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type * as Library from '../src/index.ts'

// What users get is measured, not the sources through a loader. Types come from the sources, so that the
// check needs no build.
const built = new URL('../dist/src/index.js', import.meta.url)
if (!existsSync(built)) throw new Error(`${fileURLToPath(built)} is missing: run \`npm run build\` first`)

export const { Supervisor, setCommand }: typeof Library = (await import(built.href)) as typeof Library
