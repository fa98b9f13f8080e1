import { parseDirectory } from '../../parse/directory.ts'
import { parseEnvironment } from '../../parse/environment.ts'
import { parseLabels } from '../../parse/label.ts'
import { overlaid, parseWorkspace } from '../../parse/workspace.ts'
import { type Flag, same, value, values } from '../flag.ts'

export const taskFlags: readonly Flag[] = [
  {
    flag: '--name <NAME>',
    help: { run: 'what to call it (default: the name of the program)' },
  },
  {
    flag: '-d, --detach',
    help: same('print its key and leave it running', 'run', 'exec'),
  },
  {
    flag: '--rm',
    help: { run: 'remove its records and logs when it has ended' },
  },
  {
    flag: '--keep',
    help: { exec: 'keep its records and logs when it has ended' },
  },
  {
    flag: '-e, --env <NAME=VALUE>',
    help: {
      run: 'a variable; NAME alone takes the value from here (repeatable)',
      exec: "a variable, besides the task's own (repeatable)",
    },
    repeats: true,
    sets: values('command.env', texts => parseEnvironment(texts)),
  },
  {
    flag: '--env-file <FILE>',
    help: { run: 'variables, one a line; --env wins (repeatable)' },
    repeats: true,
  },
  {
    flag: '--secret <NAME[=FILE]>',
    help: {
      run: 'a file in memory that the task alone reads, /secrets/NAME; NAME alone takes the variable from here (repeatable)',
    },
    repeats: true,
  },
  {
    flag: '--label <NAME=VALUE>',
    help: { run: 'a label, for `ps --filter` (repeatable)' },
    repeats: true,
    sets: values('command.labels', parseLabels),
  },
  {
    flag: '--cwd <DIR>',
    help: {
      run: 'working directory, as the task sees it',
      exec: "working directory, as the task sees it (default: the task's)",
    },
    sets: value('command.cwd', parseDirectory),
  },
  {
    flag: '-w, --workspace <DIR[:ro]>',
    help: {
      run: 'a directory of this host to work in: it is seen at its own path, writable, and is the working directory',
    },
    sets: value('command.workspace', parseWorkspace),
  },
  {
    flag: '--overlay',
    help: {
      run: 'with -w: leave the directory as it is, and keep what the task changes there apart: `holdfast diff` lists it, `holdfast apply` puts it in place, `holdfast rm` forgets it',
    },
    sets: overlaid,
  },
  {
    flag: '--toolchains',
    help: {
      run: "show the task, read-only, what is on this shell's PATH outside the system's directories (nvm, pyenv, /opt/...), and give it that PATH",
    },
  },
  {
    flag: '--interpolate',
    help: same('put variables of the task into COMMAND and ARG, for $NAME and ${NAME}', 'run', 'exec'),
    sets: value('command.interpolate', () => true),
  },
  {
    flag: '-i, --interactive',
    help: same('give it the standard input of this command (default: none)', 'run', 'exec'),
    sets: value('command.stdin', () => process.stdin),
  },
  {
    flag: '-t, --tty',
    help: same('give it the terminal of this command; Ctrl-P Ctrl-Q leaves it running', 'run', 'exec'),
  },
]
