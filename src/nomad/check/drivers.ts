import type { Value } from '../hcl/scope.ts'
import type { Finding } from './finding.ts'
import { type Located, type TaskView, written } from './task-view.ts'

type Config = ReadonlyMap<string, Located>

/** A driver whose jobs holdfast can take over, and how. */
export type Origin = {
  /** What a task may do without asking for it. */
  readonly capabilities: 'exec' | 'all' | 'none'
  /** In which group a task is that is not root's: `exec` changes the user alone. */
  readonly group: 'root' | "its user's"
  /** Who it is where it names nobody. */
  readonly user: string | null
  /** Its options in the words of the holdfast driver. */
  readonly translate: (view: TaskView) => { readonly config: Config; readonly findings: readonly Finding[] }
}

export const origins: Readonly<Record<string, Origin>> = {
  holdfast: { capabilities: 'none', group: "its user's", user: null, translate: asItIs },
  exec: { capabilities: 'exec', group: 'root', user: 'nobody', translate: asItIs },
  java: { capabilities: 'exec', group: 'root', user: 'nobody', translate: fromJava },
  raw_exec: { capabilities: 'all', group: "its user's", user: "the agent's user", translate: fromRawExec },
}

function asItIs({ config }: TaskView) {
  return { config, findings: [] }
}

const javaOptions = ['jvm_options', 'class_path', 'jar_path', 'class']

/** `java` puts a command line together of options of its own. */
function fromJava(view: TaskView) {
  const { config } = view
  const of = (name: string) => config.get(name)?.value ?? null
  const words = (value: Value) =>
    Array.isArray(value) ? (value as readonly Value[]) : value === null ? [] : [value]
  const flagged = (flag: string, value: Value) => (value === null ? [] : [flag, value])
  const args = [
    ...words(of('jvm_options')),
    ...flagged('-cp', of('class_path')),
    ...flagged('-jar', of('jar_path')),
    ...words(of('class')),
    ...words(of('args')),
  ]
  const change = `command = "java" and args = ${written(args)}`
  const { at } = config.get('jar_path') ?? config.get('class') ?? view.driver
  const own = javaOptions.filter(name => config.has(name))
  const rest = [...config].filter(([name]) => !javaOptions.includes(name) && name !== 'args')
  return {
    config: new Map([...rest, ['command', { at, value: 'java' }], ['args', { at, value: args }]] as const),
    findings: own.map((name): Finding => {
      const why = 'the command line is written out'
      return { option: `config.${name}`, verdict: 'differs', at: config.get(name)?.at ?? at, why, change }
    }),
  }
}

const rawExecOptions: Readonly<Record<string, readonly [why: string, change: string]>> = {
  cgroup_v1_override: ['a task is in the cgroups that Nomad has made for it', 'leave it out'],
  cgroup_v2_override: ['a task is in the cgroups that Nomad has made for it', 'leave it out'],
  oom_score_adj: ['always 0; the limit of its memory is the task’s own', 'leave it out'],
  denied_envvars: ['a task has nothing of the agent’s environment', 'leave it out'],
}

/** `raw_exec` isolates nothing: what a job makes of that no file says. */
function fromRawExec({ config, driver: { at } }: TaskView) {
  const known = [...config].filter(([name]) => name in rawExecOptions)
  const isolated: Finding = {
    option: 'driver',
    verdict: 'differs',
    at,
    why: 'raw_exec isolates nothing: here a task has a root, processes and a user of its own, and no other task’s',
    change: 'lend it what it needs of the node: `mount`, `cap_add`, `user`',
  }
  return {
    config: new Map([...config].filter(([name]) => !(name in rawExecOptions))),
    findings: [
      isolated,
      ...known.map(([name, { at: where }]): Finding => {
        const [why, change] = rawExecOptions[name] ?? ['', '']
        return { option: `config.${name}`, verdict: 'refused', at: where, why, change }
      }),
    ],
  }
}
