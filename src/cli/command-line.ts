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
  await carryOut(process.argv.slice(2))
}

/** Carries out what the words say, and sets the exit code of this process; what goes wrong is said. */
export async function carryOut(args: readonly string[]): Promise<void> {
  const program = holdfast()
  const names = program.commands.map(command => command.name())
  try {
    refuseChangedArguments(args)
    await program.parseAsync([...spelt(args, names)], { from: 'user' })
  } catch (error) {
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

/** `help stpo` as `stpo`, which is corrected: of the former commander prints the help of everything. */
function spelt(args: readonly string[], names: readonly string[]): readonly string[] {
  const [first, word = ''] = args
  return first === 'help' && /^[^-]/.test(word) && !names.includes(word) ? args.slice(1) : args
}

/**
 * A umask that takes the owner's rights away would shut us out of what we make. What others get is the
 * caller's to say.
 */
function keepOwnRights(): void {
  const asked = process.umask(0o077)
  process.umask(asked & 0o077)
}
