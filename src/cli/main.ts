#!/usr/bin/env node
import { refuseChangedArguments } from './parse/own-bytes.ts'
import { reportError } from './output/error-report.ts'
import { dieQuietlyWithoutReader } from './output/hang-up.ts'
import { holdfast } from './program.ts'
import { usageMistake } from './usage-mistake.ts'

dieQuietlyWithoutReader()
const args = process.argv.slice(2)
const program = holdfast()
try {
  refuseChangedArguments(args)
  await program.parseAsync(args, { from: 'user' })
} catch (error) {
  const mistake = usageMistake(
    error,
    args,
    program.commands.map(command => command.name()),
  )
  if (mistake.say !== null) reportError(mistake.say, { json: mistake.json })
  process.exitCode = mistake.exitCode
}
