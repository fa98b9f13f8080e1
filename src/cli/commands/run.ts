import type { Command } from 'commander'
import type { Command as TaskCommand, Resources, Supervisor, untrusted as Untrusted } from '../../index.ts'
import { refuseContradictions } from '../flags/contradictions.ts'
import { namingFlags } from '../flags/naming.ts'
import { askedFor, takeFlags } from '../flags/options.ts'
import { openToTyping } from '../terminal/open-to-typing.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { attached, detached, type Presentation } from '../attending/presentation.ts'
import { carriedOutBy, subcommand, type CommonOptions } from './subcommand.ts'

export function runCommand(): Command {
  const command = subcommand('run', 'task')
    .summary('run a program as a task')
    .description('Runs a program as a task, prints what it prints, and exits as it does.')
    .argument('<COMMAND>', "a program's path, or its name on the task's PATH")
    .argument('[ARG...]', 'its arguments, which reach it as they are')
    .passThroughOptions()
    .addHelpText('after', more)
  takeFlags(command, 'run')
  return carriedOutBy(command, run)
}

const more = `
An interrupt (Ctrl-C) or SIGTERM stops the task: SIGTERM, and SIGKILL 5 s later. A second interrupt kills it at once.
With -t every key is the task's, Ctrl-C too; Ctrl-P Ctrl-Q leaves it running, and \`holdfast attach\` comes back to it. With --detach its input stays open for that.
A terminal that is closed (SIGHUP) ends holdfast alone: the task goes on.
With --untrusted the task has a user of its own (as root), no network, 1024 processes, 1024 open files, no core dumps, 256 MiB in /tmp, and 1 GiB in /local and
/alloc together (in memory, and less of it, where a file system of that size cannot be had); other flags say otherwise one by one. Add --memory, --cpus and --timeout for what else it may use.
With --overlay what the task changes in its workspace is kept with its records, and forgotten with them: at once with --rm.
With --json the task's own output is not printed; \`holdfast logs\` has it.

Examples:
  holdfast run --memory 64M --pids 32 -- id
  holdfast run --rm --network none --timeout 30s -- sh -c 'make test'
  holdfast run --untrusted --memory 256M --cpus 1 --timeout 30s -- python3 -c 'print(6 * 7)'
  holdfast run -t --rm -- bash
  holdfast run --detach --name web --env PORT=8080 --mount /srv/www:/www:ro -- httpd -f

Exit codes: the task's own; 128+n if signal n ended it; 124 if its time was up; 125 if holdfast failed; 126 if the program could not be executed; 127 if it was not found.`

type RunOptions = CommonOptions &
  Presentation & {
    readonly name?: string
    readonly detach?: boolean
    readonly basic?: boolean
    readonly strict?: boolean
    readonly untrusted?: boolean
    readonly toolchains?: boolean
    readonly pids?: string
    readonly disk?: string
    readonly envFile?: readonly string[]
    readonly secret?: readonly string[]
  }

async function run(options: RunOptions, ...operands: readonly string[]): Promise<number> {
  refuseContradictions(options)
  const { stateDir } = options
  return await withSupervisor({ stateDir }, async supervisor => {
    const task = await prepared(supervisor, operands, options)
    return options.detach
      ? await detached(task, options)
      : await attached(task, { ...options, isolated: !options.basic && process.platform === 'linux' })
  })
}

async function prepared(
  supervisor: Supervisor,
  [program = '', ...args]: readonly string[],
  { pids, disk, envFile = [], secret = [], ...options }: RunOptions,
) {
  const { runDefaults, setCommand, untrusted } = await import('../../index.ts')
  const asked = askedFor({ ...options, ...(pids !== 'max' && { pids }), ...(disk !== 'max' && { disk }) })
  if (options.toolchains) Object.assign(asked.command, await withToolchains(asked.command))
  const unlimited: Resources = {
    ...(pids === 'max' && { pids: Infinity }),
    ...(disk === 'max' && { diskBytes: Infinity }),
  }
  const defaults = options.basic || pids === 'max' ? {} : runDefaults
  const { command, resources, executor } = options.untrusted
    ? bounded(untrusted(asked.command, { ...asked.resources, ...unlimited }), defaults)
    : { ...asked, executor: { strict: options.strict ?? false, preferred: defaults } }
  const task = supervisor.executor(options.basic ? 'basic' : undefined, executor)
  Object.assign(task.command, command)
  if (envFile.length > 0) {
    const { withEnvironmentFiles } = await import('../files/environment-file.ts')
    task.command.env = withEnvironmentFiles(envFile, command.env)
  }
  if (secret.length > 0) {
    const { parseSecrets, refuseShownSecrets } = await import('../files/secrets.ts')
    refuseShownSecrets(secret, task.command.env)
    task.command.secrets = parseSecrets(secret)
  }
  openToTyping(task, options)
  await namingFlags(async () => {
    setCommand(task, program, args)
    if (Object.keys(resources).length > 0) await task.limit(resources)
  })
  if (options.name !== undefined) task.named(options.name)
  return task
}

/** What the command line prefers for every task comes besides. */
function bounded({ options, ...asked }: ReturnType<typeof Untrusted>, defaults: Resources) {
  return { ...asked, executor: { ...options, preferred: { ...defaults, ...options.preferred } } }
}

/** What the caller has said of mounts and variables himself comes after. */
async function withToolchains({
  mounts = [],
  env = {},
  workspace,
}: Partial<TaskCommand>): Promise<Partial<TaskCommand>> {
  const { toolchains } = await import('../../index.ts')
  const own = typeof workspace === 'object' ? workspace.path : workspace
  const shown = [...mounts.map(({ target }) => target), ...(own === undefined ? [] : [own])]
  const found = toolchains({ shown })
  return { mounts: [...found.mounts, ...mounts], env: { ...found.env, ...env } }
}
