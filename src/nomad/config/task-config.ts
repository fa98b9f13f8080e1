import { isAbsolute } from 'node:path'
import type { HoldfastError } from '../../index.ts'
import {
  block,
  blocks,
  configuration,
  flag,
  integer,
  oneOf,
  optionalBlock,
  refused,
  requiredText,
  text,
  texts,
} from './attribute.ts'

const mebibytes = (min: number) => integer(min, 2 ** 33, 'MiB')
const isAnything = () => true
const isPath = (value: string) => isAbsolute(value) && !value.split('/').includes('..')
const takesPath = 'an absolute path without ".."'
const requiredPath = requiredText(takesPath, isPath)
const capability = 'a capability such as "CAP_NET_BIND_SERVICE", or "all"'

/** Of Nomad's `raw_exec`, not of `exec`: in a cgroup of the job's choice a task has none of its limits. */
const otherCgroup = [
  'a task here is limited by its own cgroups',
  'Leave it out, and say in resources and limits what the task may use.',
] as const

/** Of Nomad's `java`, which makes a command line of them. */
const ofJava = (args: string) =>
  [
    "it is an option of Nomad's java driver",
    `Write its command line out: command = "java" and args = [${args}].`,
  ] as const

/** The `config` block of a task. docs/nomad.md says what each means. */
const task = configuration({
  jar_path: refused('string', ...ofJava('"-jar", "local/app.jar"')),
  class: refused('string', ...ofJava('"-cp", "local", "Main"')),
  class_path: refused('string', ...ofJava('"-cp", "local", "Main"')),
  jvm_options: refused('list(string)', ...ofJava('"-Xmx256m", "-jar", "local/app.jar"')),
  command: requiredText('a program', value => value !== ''),
  args: texts('a string without NUL', isAnything),
  work_dir: text(takesPath, isPath),
  cap_add: texts(capability, value => value !== ''),
  cap_drop: texts(capability, value => value !== ''),
  pid_mode: oneOf('private', 'host'),
  ipc_mode: oneOf('private', 'host'),
  cgroup_v1_override: refused('list(map(string))', ...otherCgroup),
  cgroup_v2_override: refused('string', ...otherCgroup),
  stop_signal_target: oneOf('leader', 'group'),
  cpu_hard_limit: flag(false),
  limits: block({
    pids: integer(1, 4_194_304, 'processes and threads'),
    nofile: integer(1, 2 ** 30, 'open files'),
    swap_mb: mebibytes(0),
  }),
  mount: blocks({ source: requiredPath, target: requiredPath, read_only: flag(true) }),
  tmpfs: blocks({ target: requiredPath, size_mb: mebibytes(1) }),
  logs: block({
    max_files: integer(2, 100, 'files'),
    max_file_size: integer(1, 1_048_576, 'MiB'),
  }),
  egress: optionalBlock({ allow: texts('a destination such as "example.com:443"', value => value !== '') }),
})

export type TaskOptions = ReturnType<typeof task.read>

export const taskSpec = task.spec

/** What is wrong with this option of a task, by itself. Null: nothing. */
export function taskOptionFault(name: string, value: unknown): HoldfastError | null {
  return task.fault(name, value, 'config')
}

export const isTaskOption = task.knows

/** Whether the option is a block that a job may have any number of times. */
export const isRepeatedOption = task.isRepeated

/** Throws INVALID_ARGUMENT naming the attribute. */
export function readTaskOptions(value: unknown): TaskOptions {
  return task.read(value, 'config')
}
