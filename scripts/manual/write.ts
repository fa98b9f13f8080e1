// Writes dist/man/holdfast.1 from the command line's own table. Run by every build.
import { mkdirSync, writeFileSync } from 'node:fs'
import { holdfast } from '../../src/cli/program.ts'
import { version } from '../../src/package-root.ts'
import { manualPage } from './roff.ts'

const directory = new URL('../../dist/man/', import.meta.url)
mkdirSync(directory, { recursive: true })
writeFileSync(new URL('holdfast.1', directory), manualPage(holdfast(), version))
