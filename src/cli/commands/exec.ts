import type { Command } from 'commander'
import { append, carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function execCommand(): Command {
  const command = subcommand('exec', 'task')
    .summary('run a command inside a running task')
    .description(
      'Runs a second command with the limits and the isolation of a task that runs, prints what it prints, and exits as it does.',
    )
    .argument('<TASK>')
    .argument(
      '<COMMAND>',
      "a program's path, or its name on the task's PATH; options of holdfast come before TASK",
    )
    .argument('[ARG...]', 'its arguments, which reach it as they are')
    .passThroughOptions()
    .option('--interpolate', 'put variables of the task into COMMAND and ARG, for $NAME and ${NAME}')
    .option('-i, --interactive', 'pass standard input on to it')
    .option('-d, --detach', 'print its key and leave it running')
    .option('-e, --env <NAME=VALUE>', "a variable, besides the task's own (repeatable)", append)
    .option('--cwd <DIR>', "working directory, as the task sees it (default: the task's)")
    .option('--user <USER[:GROUP]>', "name or number to run as, and of the group (default: the task's)")
    .option('--group <GROUP>', "name or number of the group (default: the user's own)")
    .option('--timeout <TIME>', 'stop it after this time')
    .option('--max-output <SIZE>', 'stop it when it has printed more than this')
    .option('--keep', 'keep its records and logs when it has ended')
    .addOption(jsonOption())
    .option('-q, --quiet', 'do not print how it ended')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/exec.ts')).exec)
}

const more = `
It is a task of its own, with a key and a result, and ends when the task it runs in ends. To stop it leaves that task alone.

Examples:
  holdfast exec web -- ps ax
  holdfast exec -i web -- sh
  holdfast exec --user root --env DEBUG=1 web -- /local/tool --check

Exit codes: the command's own; 128+n if signal n ended it; 124 if its time was up; 125 if holdfast failed; 126 if the program could not be executed; 127 if it was not found.`
