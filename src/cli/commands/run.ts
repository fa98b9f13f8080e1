import type { Command } from 'commander'
import { append, carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function runCommand(): Command {
  const command = subcommand('run', 'task')
    .summary('run a program as a task')
    .description('Runs a program as a task, prints what it prints, and exits as it does.')
    .argument('<COMMAND>', "a program's path, or its name on the task's PATH")
    .argument('[ARG...]', 'its arguments, which reach it as they are')
    .passThroughOptions()
    .optionsGroup('The task:')
    .option('--name <NAME>', 'what to call it (default: the name of the program)')
    .option('-d, --detach', 'print its key and leave it running')
    .option('--rm', 'remove its records and logs when it has ended')
    .option('-e, --env <NAME=VALUE>', 'a variable; NAME alone takes the value from here (repeatable)', append)
    .option('--env-file <FILE>', 'variables, one a line; --env wins (repeatable)', append)
    .option('--label <NAME=VALUE>', 'a label, for `ps --filter` (repeatable)', append)
    .option('--cwd <DIR>', 'working directory, as the task sees it')
    .option('--timeout <TIME>', 'stop it after this time')
    .option('--interpolate', 'put variables of the task into COMMAND and ARG, for $NAME and ${NAME}')
    .option('-i, --interactive', 'give it the standard input of this command (default: none)')
    .optionsGroup('Limits:')
    .option('--cpu <SHARES>', 'weight among the tasks that want the processor, 2 or more')
    .option('--cpus <CORES>', 'most processor time; 0.5 is half a core')
    .option('--cpuset <LIST>', 'the processors it may use, such as 0-1,3')
    .option('--memory <SIZE>', 'most memory; it gets no swap')
    .option('--pids <COUNT>', 'most processes and threads; max for no limit (default: 4096)')
    .option('--max-output <SIZE>', 'stop it when it has printed more than this')
    .option(
      '--ulimit <NAME=SOFT[:HARD]>',
      'a limit of setrlimit(2), such as nofile=1024 (repeatable)',
      append,
    )
    .optionsGroup('Isolation:')
    .option(
      '--user <USER[:GROUP]>',
      'name or number to run as, and of the group (default: nobody, where it is isolated)',
    )
    .option('--group <GROUP>', "name or number of the group (default: the user's own)")
    .option('--network <WHICH>', 'host (the default) or none, which is a loopback of its own')
    .option('--hostname <NAME>', 'host name it sees')
    .option('--mount <SRC[:DST][:ro]>', 'show a file or directory of this host inside (repeatable)', append)
    .option('--tmpfs <DST[:SIZE]>', 'an empty file system in memory (repeatable)', append)
    .option('--cap-add <NAME>', 'a capability to keep, such as NET_BIND_SERVICE (repeatable)', append)
    .option('--seccomp <WHICH>', 'default, or off for no filter of system calls')
    .option('--basic', 'neither limits nor isolation: works everywhere')
    .option(
      '--untrusted',
      'for code that nobody vouches for: no network, few processes and files, bounded directories, --strict',
    )
    .option('--strict', 'refuse to start where this host cannot enforce all that is asked for')
    .optionsGroup('Output:')
    .option('--log-max-size <SIZE>', 'begin a new log file when one has this size (default: it grows)')
    .option('--log-max-files <COUNT>', 'how many are kept, the current one among them (default: 5)')
    .addOption(jsonOption())
    .option('--result <FILE>', 'write the result there as JSON, besides what is printed')
    .option('-q, --quiet', 'do not print how it ended')
    .optionsGroup('Options:')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/run.ts')).run)
}

const more = `
An interrupt (Ctrl-C) or SIGTERM stops the task: SIGTERM, and SIGKILL 5 s later. A second interrupt kills it at once.
A terminal that is closed (SIGHUP) ends holdfast alone: the task goes on.
With --untrusted the task has no network, 1024 processes, 1024 open files, no core dumps, and what it writes to /tmp, /local and /alloc is kept in
memory, bounded and gone with it; other flags say otherwise one by one. Add --memory, --cpus and --timeout for what else it may use.
With --json the task's own output is not printed; \`holdfast logs\` has it.

Examples:
  holdfast run --memory 64M --pids 32 -- id
  holdfast run --rm --network none --timeout 30s -- sh -c 'make test'
  holdfast run --untrusted --memory 256M --cpus 1 --timeout 30s -- python3 -c 'print(6 * 7)'
  holdfast run --detach --name web --env PORT=8080 --mount /srv/www:/www:ro -- httpd -f

Exit codes: the task's own; 128+n if signal n ended it; 124 if its time was up; 125 if holdfast failed; 126 if the program could not be executed; 127 if it was not found.`
