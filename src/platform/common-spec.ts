import { programOf } from '../command/interpolate.ts'
import { scalarsOf } from '../spawn/scalars.ts'
import type { LaunchSpec } from '../spawn/spec.ts'
import type { TaskRequest } from './port.ts'
import { streamTargets } from './streams.ts'

/**
 * What a launch takes from the request as it is, whichever executor plans it. `env`: the task's whole
 * environment.
 */
export function commonSpec(request: TaskRequest, dir: string, env: Readonly<Record<string, string>>) {
  const { command, resources, graceMs, durable, owner } = request
  const { typed, argv } = programOf(command, env)
  const own = {
    dir,
    path: typed,
    argv,
    env: Object.entries(env).map(([variable, value]) => `${variable}=${value}`),
    umask: command.umask ?? 0o022,
    terminal: command.terminal ?? null,
    wallTimeMs: resources?.wallTimeMs ?? null,
    outputBytes: resources?.outputBytes ?? null,
    graceMs,
    durable,
    lifeline: owner,
  } satisfies Partial<LaunchSpec>
  // Not by spreading: all but the first in a literal costs several times what Object.assign() does.
  return Object.assign(own, streamTargets(request, dir), scalarsOf(command))
}

/**
 * How long a start under `strict` waits in front of its program for somebody who compares what is in force. A
 * supervisor that has died meanwhile may have a successor.
 */
export const holdMs = 60_000

/** Of a launch that makes no namespaces, and so no root. */
export const noNamespaces = {
  namespaces: [],
  networkPath: null,
  egress: null,
  hostname: null,
  root: [],
  rootShared: 0,
} as const satisfies Partial<LaunchSpec>
