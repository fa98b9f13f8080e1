import { HoldfastError } from '../../errors.ts'
import type { ScalarField } from '../scalars.ts'
import type { LaunchSpec } from '../spec.ts'

/**
 * `honoured`; or when a value asks for what Node cannot do, so that the start is refused: it comes from a
 * plan for the native program. What a caller can ask the Basic executor for, and gets less of, has a row
 * instead (src/platform/basic/portable-rows.ts).
 */
type Honour<Field extends keyof LaunchSpec> = 'honoured' | 'row' | ((value: LaunchSpec[Field]) => boolean)

/**
 * Every field but the scalars, which say it themselves: one that is new does not compile until somebody has
 * thought of it.
 */
const honours: { readonly [Field in Exclude<keyof LaunchSpec, ScalarField>]-?: Honour<Field> } = {
  dir: 'honoured',
  path: 'honoured',
  argv: 'honoured',
  env: 'honoured',
  cwd: 'honoured',
  umask: 'row',
  credentials: 'row',
  stdin: 'honoured',
  stdout: 'honoured',
  stderr: 'honoured',
  donor: value => value !== undefined,
  terminal: value => (value ?? null) !== null,
  stdinOpen: value => value === true,
  logRotation: value => value?.numbering === 'increment',
  collected: value => value === true,
  plainLogs: 'honoured',
  rlimits: value => value.length > 0,
  wallTimeMs: 'honoured',
  outputBytes: 'honoured',
  graceMs: 'honoured',
  holdMs: value => (value ?? null) !== null,
  durable: 'honoured',
  lifeline: 'honoured',
  cgroups: value => value.length > 0,
  deferredCgroups: value => (value ?? []).length > 0,
  oomFile: value => value !== null,
  oom: value => (value ?? null) !== null,
  freezer: value => value !== null,
  inside: value => Boolean(value && (value.leader !== null || value.init !== null)),
  namespaces: value => value.length > 0,
  networkPath: value => value !== null,
  egress: value => value !== null,
  hostname: value => value !== null,
  root: value => value.length > 0,
  secrets: value => (value ?? []).length > 0,
  rootShared: value => value !== 0,
  capabilities: value => value !== null,
  noNewPrivileges: value => value,
  seccomp: value => value,
  offline: value => value === true,
  landlock: value => (value ?? null) !== null,
}

/**
 * Throws UNSUPPORTED naming the first field that asks for what only the native program does: nothing is left
 * out without a word.
 */
export function refuseUnhonoured(spec: LaunchSpec): void {
  for (const field of Object.keys(honours) as (keyof typeof honours)[]) {
    const honour = honours[field] as Honour<typeof field>
    if (typeof honour !== 'function' || !(honour as (value: unknown) => boolean)(spec[field])) continue
    throw new HoldfastError('UNSUPPORTED', `${names[field] ?? field}: only the native program does that`, {
      stage: 'spawner',
      hint: 'Run it where the native program runs: Linux, as `holdfast doctor` says.',
    })
  }
}

/** As the caller knows it. */
const names: Partial<Record<keyof LaunchSpec, string>> = {
  terminal: 'command.terminal',
  stdinOpen: 'command.stdin',
  logRotation: 'command.logs.numbering',
  collected: 'command.logs',
}
