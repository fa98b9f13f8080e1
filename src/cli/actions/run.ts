import { type Command, runDefaults, type Supervisor, setCommand, toolchains, untrusted } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { refuseContradictions } from '../flags/contradictions.ts'
import { namingFlags } from '../flags/naming.ts'
import { askedFor } from '../flags/options.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { openToTyping } from '../terminal/open-to-typing.ts'
import { withEnvironmentFiles } from './environment-file.ts'
import { attached, detached, type Presentation } from './presentation.ts'
import { parseSecrets, refuseShownSecrets } from './secrets.ts'

export type RunOptions = CommonOptions &
  Presentation & {
    readonly name?: string
    readonly detach?: boolean
    readonly basic?: boolean
    readonly strict?: boolean
    readonly untrusted?: boolean
    readonly toolchains?: boolean
    readonly pids?: string
    readonly envFile?: readonly string[]
    readonly secret?: readonly string[]
  }

export async function run(operands: readonly string[], options: RunOptions): Promise<number> {
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
  { pids, envFile = [], secret = [], ...options }: RunOptions,
) {
  const unlimited = pids === 'max'
  const asked = askedFor(unlimited ? options : { ...options, pids })
  if (options.toolchains) Object.assign(asked.command, withToolchains(asked.command))
  const { command, resources } = options.untrusted ? untrusted(asked.command, asked.resources) : asked
  const task = supervisor.executor(options.basic ? 'basic' : undefined, {
    strict: options.strict ?? options.untrusted ?? false,
    ...(!options.basic && !unlimited && { preferred: runDefaults }),
    ...(options.untrusted && { preferredUser: 'own' as const }),
  })
  Object.assign(task.command, command)
  if (envFile.length > 0) task.command.env = withEnvironmentFiles(envFile, command.env)
  if (secret.length > 0) {
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

/** What the caller has said of mounts and variables himself comes after. */
function withToolchains({ mounts = [], env = {}, workspace }: Partial<Command>): Partial<Command> {
  const own = typeof workspace === 'object' ? workspace.path : workspace
  const shown = [...mounts.map(({ target }) => target), ...(own === undefined ? [] : [own])]
  const found = toolchains({ shown })
  return { mounts: [...found.mounts, ...mounts], env: { ...found.env, ...env } }
}
