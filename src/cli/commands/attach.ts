import type { Command } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function attachCommand(): Command {
  const command = subcommand('attach', 'task')
    .summary('join a running task: see its output, type into it')
    .description(
      "Gives a running task this terminal, whoever started it, until it ends; then exits as it did. Of a task without a terminal it prints both streams, from now on, and feeds it this command's standard input if that was left open.",
    )
    .argument('<TASK>')
    .option('--no-stdin', 'only watch: what is typed is discarded')
    .option('-q, --quiet', 'print nothing but what the task prints')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/attach.ts')).attach)
}

const more = `
Ctrl-P Ctrl-Q leaves a task with a terminal, Ctrl-C one without: it goes on. Any number may be attached at once, and none of them holds it up. What
can be typed into: tasks started with -t, or with -i --detach; of the latter the end of standard input is the task's, too, unless that is /dev/null.

Examples:
  holdfast run -t --detach --name dev -- bash; holdfast attach dev
  echo 'print(6 * 7)' | holdfast attach repl

Exit codes: the task's own; 0 when it was left; 128+n if signal n ended it; 124 if its time was up; 125 if holdfast failed.`
