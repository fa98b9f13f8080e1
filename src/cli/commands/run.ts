import type { Command } from 'commander'
import { takeFlags } from '../flags/options.ts'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function runCommand(): Command {
  const command = subcommand('run', 'task')
    .summary('run a program as a task')
    .description('Runs a program as a task, prints what it prints, and exits as it does.')
    .argument('<COMMAND>', "a program's path, or its name on the task's PATH")
    .argument('[ARG...]', 'its arguments, which reach it as they are')
    .passThroughOptions()
    .addHelpText('after', more)
  takeFlags(command, 'run')
  return carriedOutBy(command, async () => (await import('../actions/run.ts')).run)
}

const more = `
An interrupt (Ctrl-C) or SIGTERM stops the task: SIGTERM, and SIGKILL 5 s later. A second interrupt kills it at once.
With -t every key is the task's, Ctrl-C too; Ctrl-P Ctrl-Q leaves it running, and \`holdfast attach\` comes back to it. With --detach its input stays open for that.
A terminal that is closed (SIGHUP) ends holdfast alone: the task goes on.
With --untrusted the task has a user of its own (as root), no network, 1024 processes, 1024 open files, no core dumps, and what it writes to /tmp, /local and /alloc is kept in
memory, bounded and gone with it; other flags say otherwise one by one. Add --memory, --cpus and --timeout for what else it may use.
With --json the task's own output is not printed; \`holdfast logs\` has it.

Examples:
  holdfast run --memory 64M --pids 32 -- id
  holdfast run --rm --network none --timeout 30s -- sh -c 'make test'
  holdfast run --untrusted --memory 256M --cpus 1 --timeout 30s -- python3 -c 'print(6 * 7)'
  holdfast run -t --rm -- bash
  holdfast run --detach --name web --env PORT=8080 --mount /srv/www:/www:ro -- httpd -f

Exit codes: the task's own; 128+n if signal n ended it; 124 if its time was up; 125 if holdfast failed; 126 if the program could not be executed; 127 if it was not found.`
