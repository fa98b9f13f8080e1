import { Command, Option } from 'commander'
import pc from 'picocolors'
import { failureExitCode } from '../failure-exit-code.ts'
import { reportError } from '../output/error-report.ts'

/** Does the work of a command and resolves to the exit code. `operands` are the words that are no options. */
type Action<Options> = (options: Options, ...operands: string[]) => Promise<number>

/** What every command understands. */
export type CommonOptions = { readonly stateDir?: string; readonly json?: boolean }

/**
 * A command whose exit code is a task's (`run`, `wait`) says 125 when holdfast itself failed, so that it
 * cannot be taken for the task's; all others say 1.
 */
export function subcommand(name: string, exits: 'own' | 'task' = 'own'): Command {
  return styled(new Command(name))
    .addOption(stateDirOption())
    .helpOption('-h, --help', 'print this help')
    .exitOverride(error => {
      if (error.exitCode !== 0) error.exitCode = exits === 'task' ? 125 : failureExitCode(name, error)
      throw error
    })
}

/** What `act` needs of the library it imports by itself, when it is called: --help reads none of it. */
export function carriedOutBy<Options extends CommonOptions>(command: Command, act: Action<Options>): Command {
  return command.action(async () => {
    const options = { ...command.parent?.opts(), ...command.opts<Options>() }
    try {
      process.exitCode = await act(options, ...command.args)
    } catch (error) {
      reportError(error, { json: options.json ?? false })
      process.exitCode = failureExitCode(command.name(), error)
    }
  })
}

/** For options that may be given several times. */
export function append(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value]
}

export const jsonHelp = 'print one JSON document and nothing else'

export function jsonOption(): Option {
  return new Option('--json', jsonHelp)
}

export function stateDirOption(): Option {
  return new Option(
    '--state-dir <DIR>',
    'where tasks are recorded (default: $HOLDFAST_STATE_DIR, else /var/lib/holdfast as root, else $XDG_STATE_HOME/holdfast)',
  )
}

export function styled(command: Command): Command {
  return command
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({ outputError: () => {} })
    .configureHelp({ styleTitle: bold, styleCommandText: bold, styleSubcommandText: bold })
}

// commander takes the colours out again where the help does not go to a terminal, or NO_COLOR is set.
const { bold } = pc.createColors(true)
