import { Readable } from 'node:stream'
import type { Command, PlainCommand, Resources } from '../api.ts'
import { parseSecrets, type Secret } from '../command/secrets.ts'
import { parseCommand } from '../command/validate.ts'
import { HoldfastError } from '../errors.ts'
import type { TargetTask, PlatformName, TaskPaths } from '../platform/port.ts'
import { withDefaults } from './default-limits.ts'
import { refuseOtherIsolation } from './running/exec.ts'
import { defaultTaskName } from './task-name.ts'
import type { TaskSpec } from './task-spec.ts'

/** What an executor has been told before its start, besides the command. */
export type TaskSettings = {
  readonly platform: PlatformName
  /** The platform was called for by its name, and is not just the best there is. */
  readonly byName: boolean
  readonly orphans: 'keep' | 'kill'
  readonly strict: boolean
  /** Limits that the task does not name and gets where this host can enforce them. */
  readonly preferred: Resources | null
  /** The user where it names none and this host can give it a number of its own. */
  readonly preferredUser: 'own' | null
  /** `/local` and `/alloc` are in memory where `diskBytes` does not bound them. */
  readonly bounded: boolean
  readonly resources: Resources | null
  /** Null: it gets one by its command. */
  readonly name: string | null
  /** Null: it gets one of its own. */
  readonly alloc: TaskPaths | null
}

/**
 * The running task that a command is exec'ed into, and the parts of its start that count for the command,
 * too.
 */
export type ExecTarget = {
  readonly task: TargetTask
  readonly alloc: TaskPaths
  readonly command: Readonly<Command>
}

/** A start whose arguments are in order. */
export type StartDraft = {
  readonly command: PlainCommand
  /** A stream of this program that the task is to read from. */
  readonly input: Readable | null
  readonly secrets: readonly Secret[]
  readonly name: string
  readonly target: ExecTarget | null
}

/** What all tasks of a supervisor are started with. */
export type StartDefaults = {
  readonly durable: boolean
  readonly defaults: Resources | null
  readonly shutdown: { readonly graceMs: number }
}

/** Checks a command and finds the task's name. Throws INVALID_ARGUMENT. */
export function draftStart(
  asked: Readonly<Command>,
  name: string | null,
  target: ExecTarget | null,
): StartDraft {
  const input = asked.stdin instanceof Readable ? asked.stdin : null
  const { secrets: given, ...rest } = asked
  const secrets = parseSecrets(given)
  const command = parseCommand(input === null ? rest : { ...rest, stdin: undefined })
  if (target !== null) refuseOtherIsolation(command, target.command)
  if (target !== null && given !== undefined) throw othersSecrets()
  const program = defaultTaskName(command.path)
  const own = command.name ?? (target === null ? program : `${target.task.name}.${program}`)
  return { command, input, secrets, name: name ?? own, target }
}

function othersSecrets(): HoldfastError {
  return new HoldfastError(
    'INVALID_ARGUMENT',
    'command.secrets: exec() takes none, because what runs inside a task sees the secrets of the task',
    { hint: 'Give them to the task, before it is started.' },
  )
}

/**
 * All that is stored of a task before anything is started. `owner`: the FIFO of the supervisor that it is not
 * to outlive.
 */
export function startSpec(
  key: string,
  { command, input, secrets, name, target }: StartDraft,
  settings: TaskSettings,
  { durable, defaults, shutdown }: StartDefaults,
  { alloc, owner }: { readonly alloc: TaskPaths; readonly owner: string | null },
): TaskSpec {
  // What runs inside of a task has that one's limits.
  const { resources, preferred } =
    target === null
      ? withDefaults(settings.resources, defaults, settings.preferred)
      : { resources: settings.resources, preferred: [] }
  return {
    request: {
      key,
      name,
      platform: settings.platform,
      byName: settings.byName,
      command,
      resources,
      ...(preferred.length > 0 && { preferred }),
      ...(target === null && settings.preferredUser !== null && { preferredUser: settings.preferredUser }),
      ...(target === null && settings.bounded && { bounded: true }),
      alloc,
      strict: settings.strict,
      durable,
      ...(input !== null && { fed: true }),
      ...(secrets.length > 0 && { secrets: secrets.map(secret => secret.name) }),
      owner,
      inside: target?.task ?? null,
      graceMs: shutdown.graceMs,
    },
    enforcement: [],
    logs: { stdout: noLog, stderr: noLog },
    ownAlloc: target === null && settings.alloc === null,
    launchers: [],
  }
}

const noLog = { base: null, path: '' } as const
