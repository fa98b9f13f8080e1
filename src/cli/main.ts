#!/usr/bin/env node
// Imports nothing by itself: with too few descriptors for all the modules Node would end with code 1, which
// is a task's as well.
const { commandLine } = await import('./command-line.ts').catch((error: unknown) => {
  const { code, message } = error as NodeJS.ErrnoException
  const few = code === 'EMFILE' || code === 'ENFILE'
  const hint = few ? 'Raise the limit on open files: ulimit -n, LimitNOFILE.' : 'Install the package anew.'
  process.stderr.write(`holdfast: its own modules cannot be loaded: ${message}\n  hint: ${hint}\n`)
  process.exit(125)
})
await commandLine()
