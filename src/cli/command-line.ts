import { failureExitCode } from './failure-exit-code.ts'
import { reportError } from './output/error-report.ts'
import { dieQuietlyWithoutReader } from './output/hang-up.ts'
import { refuseChangedArguments } from './parse/own-bytes.ts'
import { CommanderError } from 'commander'
import { holdfast } from './program.ts'
import { usageMistake, wantsJson } from './usage-mistake.ts'

/** Carries out what this process was started with, and sets its exit code. */
export async function commandLine(): Promise<void> {
  dieQuietlyWithoutReader()
  keepOwnRights()
  const args = process.argv.slice(2)
  const program = holdfast()
  try {
    refuseChangedArguments(args)
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    const names = program.commands.map(command => command.name())
    if (!(error instanceof CommanderError)) {
      reportError(error, { json: wantsJson(args) })
      process.exitCode = failureExitCode(args.find(word => names.includes(word)) ?? '', error)
      return
    }
    const mistake = usageMistake(error, args, names)
    if (mistake.say !== null) reportError(mistake.say, { json: mistake.json })
    process.exitCode = mistake.exitCode
  }
}

/**
 * A umask that takes the owner's rights away would shut us out of what we make. What others get is the
 * caller's to say.
 */
function keepOwnRights(): void {
  const asked = process.umask(0o077)
  process.umask(asked & 0o077)
}
