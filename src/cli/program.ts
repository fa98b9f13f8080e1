import { Command } from 'commander'
import { version } from '../package-root.ts'
import { applyCommand } from './commands/apply.ts'
import { attachCommand } from './commands/attach.ts'
import { auditCommand } from './commands/audit.ts'
import { completionCommand } from './commands/completion.ts'
import { diffCommand } from './commands/diff.ts'
import { doctorCommand } from './commands/doctor.ts'
import { execCommand } from './commands/exec.ts'
import { graphCommand } from './commands/graph.ts'
import { historyCommand } from './commands/history.ts'
import { inspectCommand } from './commands/inspect.ts'
import { killCommand } from './commands/kill.ts'
import { logsCommand } from './commands/logs.ts'
import { nomadCheckCommand } from './commands/nomad-check.ts'
import { nomadDriverCommand } from './commands/nomad-driver.ts'
import { pruneCommand } from './commands/prune.ts'
import { psCommand } from './commands/ps.ts'
import { rmCommand } from './commands/rm.ts'
import { runCommand } from './commands/run.ts'
import { statsCommand } from './commands/stats.ts'
import { stopCommand } from './commands/stop.ts'
import { stateDirOption, styled } from './commands/subcommand.ts'
import { updateCommand } from './commands/update.ts'
import { verifyCommand } from './commands/verify.ts'
import { topCommand } from './commands/top.ts'
import { waitCommand } from './commands/wait.ts'

/**
 * The whole command line. Its modules are light: what does the work is imported when a command is carried
 * out.
 */
export function holdfast(): Command {
  const program = styled(new Command('holdfast'))
    .description(
      'Runs programs with least privilege, limits and isolation. They hold fast when whoever started them goes.',
    )
    .version(version, '-V, --version', 'print the version')
    .addOption(stateDirOption())
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .addHelpText('after', more)
    // So that the options of the program that is run remain its own.
    .enablePositionalOptions()
  for (const command of [
    runCommand(),
    psCommand(),
    waitCommand(),
    stopCommand(),
    killCommand(),
    rmCommand(),
    pruneCommand(),
    logsCommand(),
    historyCommand(),
    statsCommand(),
    verifyCommand(),
    diffCommand(),
    applyCommand(),
    topCommand(),
    execCommand(),
    attachCommand(),
    updateCommand(),
    inspectCommand(),
    graphCommand(),
    doctorCommand(),
    auditCommand(),
    nomadDriverCommand(),
    nomadCheckCommand(),
    completionCommand(),
  ])
    program.addCommand(command)
  return program
}

const more = `
A TASK is a key, a name, or the first characters of a key. A name means the running task of that name, else the newest that has ended;
a word that fits several running tasks is refused.
Sizes are binary: 512K, 64M, 1G, or bytes. Times are 500ms, 5s, 2m, 1h.

Examples:
  holdfast run --memory 64M --pids 32 -- id
  holdfast run --detach --name web --cpus 0.5 -- python3 -m http.server
  holdfast ps
  holdfast logs -f web
  holdfast stop --grace 10s web

There is no daemon: every call opens the state directory, and the tasks need none of them to live.`
