#!/usr/bin/env node
import { reportError } from './output/error-report.ts'
import { dieQuietlyWithoutReader } from './output/hang-up.ts'
import { holdfast } from './program.ts'
import { usageMistake } from './usage-mistake.ts'

dieQuietlyWithoutReader()
const args = process.argv.slice(2)
try {
  await holdfast().parseAsync(args, { from: 'user' })
} catch (error) {
  const mistake = usageMistake(error, args)
  if (mistake.say !== null) reportError(mistake.say, { json: mistake.json })
  process.exitCode = mistake.exitCode
}
