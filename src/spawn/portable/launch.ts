import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { LaunchSpec } from '../spec.ts'
import { staged } from './failure.ts'
import { openInput } from './input.ts'
import { withNice } from './nice.ts'
import { withOomScore } from './oom-score.ts'
import { Outputs } from './outputs.ts'
import { feedDescriptor, externalOnArrival, type ShimRequest } from './request.ts'

export type Launch = {
  readonly child: ChildProcess
  /** What carries its output into logs of bounded size. */
  readonly outputs: Outputs
}

/**
 * Opens the task's streams and spawns it. Throws with the stage that failed; that the program cannot be run
 * is told by the child's `error`.
 */
export function launch(request: ShimRequest): Launch {
  const { spec, fed } = request
  const external = externalOnArrival(request)
  const input = fed ? feedDescriptor : staged('stdin', () => openInput(spec, external))
  const outputs = staged('log', () => new Outputs(spec, external))
  const stdio = outputs.descriptors
  staged('chdir', () => refuseUnenterable(spec))
  process.umask(spec.umask)
  const { credentials } = spec
  const start = (): ChildProcess =>
    spawn(spec.path, spec.argv.slice(1), {
      argv0: spec.argv[0] ?? spec.path,
      cwd: spec.cwd,
      env: environment(spec.env),
      stdio: [input, ...stdio],
      // Its own session and process group, so that the group can be killed without us. On Windows it is in
      // Node's job, and ends when we do.
      detached: process.platform !== 'win32',
      windowsHide: true,
      ...(credentials && { uid: credentials.uid, gid: credentials.gid }),
    })
  const child = withOomScore(spec.oomScoreAdj, () => withNice(spec.nice, start))
  process.umask(0o077)
  for (const fd of new Set([input, ...stdio, ...external.values()])) if (typeof fd === 'number') closeSync(fd)
  outputs.attach(child)
  return { child, outputs }
}

function environment(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
}

/** Spawn enters the directory before it changes users, and reports a failure as one of the program. */
function refuseUnenterable({ credentials, cwd }: LaunchSpec): void {
  const asOther = credentials !== null && process.geteuid?.() === 0
  if (asOther) {
    process.setgroups?.([])
    process.setegid?.(credentials.gid)
    process.seteuid?.(credentials.uid)
  }
  try {
    process.chdir(cwd)
  } catch (error) {
    throw Object.assign(error as Error, { path: cwd })
  } finally {
    if (asOther) {
      process.seteuid?.(0)
      process.setegid?.(0)
    }
  }
  process.chdir('/')
}
