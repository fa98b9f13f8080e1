import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { processesIn } from '../linux/cgroup-members.ts'
import type { CgroupHost } from '../linux/cgroup-mode.ts'
import { v1Knobs } from '../linux/cgroup-v1.ts'
import { v2Knobs } from '../linux/cgroup-v2.ts'
import type { Knob } from '../linux/knob.ts'
import type { Limits } from '../limits.ts'
import { type Finding, judged, together, unread, unverifiable } from './finding.ts'
import { isAtLeast } from './knob-values.ts'

/** A process, the cgroups that its limits are in, and where hierarchies are mounted. */
export type Limited = {
  readonly pid: number
  readonly cgroups: readonly string[]
  readonly host: Pick<CgroupHost, 'v1' | 'v2'>
}

/**
 * What the files of the task's cgroups say of these limits. They count for a process that is in them, or
 * below them.
 */
export function limitInForce(wanted: ReadonlySet<keyof Limits>, limits: Limits, limited: Limited): Finding {
  const knobs = [...v1Knobs, ...v2Knobs].filter(({ limit }) => limit !== null && wanted.has(limit))
  if (knobs.length === 0) return unverifiable
  const found = knobs.flatMap(knob => {
    const dir = cgroupOf(knob, limited)
    return dir === null ? [] : valuesOf(knob, limits, dir, limited.pid)
  })
  const gone = limited.cgroups.filter(dir => !existsSync(dir))
  if (found.length > 0) return together(found)
  if (gone.length > 0) return judged(false, `${gone.join(', ')} is gone`)
  return unread('none of its cgroups has a file of it')
}

function cgroupOf(knob: Knob, { cgroups, host }: Limited): string | null {
  const mount = v1Knobs.includes(knob) ? host.v1.get(knob.controller) : host.v2?.mount
  if (mount === undefined) return null
  return cgroups.find(dir => dir.startsWith(`${mount}/`)) ?? null
}

function valuesOf({ files }: Knob, limits: Limits, dir: string, pid: number): Finding[] {
  const file = files.find(({ name, values }) => values(limits).length > 0 && existsSync(join(dir, name)))
  if (file === undefined) return []
  const path = join(dir, file.name)
  const text = textOf(path)
  if (text === null) return [unread(`${path} cannot be read`)]
  if (!processesIn(dir).includes(pid)) return [judged(false, `process ${pid} is not in ${dir}`)]
  return file
    .values(limits)
    .map(value => judged(isAtLeast(file.name, text, value), shown(file.name, text, value)))
}

/** Of files with a line for each device, its own. */
function shown(name: string, text: string, value: string): string {
  const [device = ''] = value.split(' ')
  const lines = text.split('\n')
  const line = lines.find(each => each.startsWith(`${device} `)) ?? lines[0] ?? ''
  return `${name} ${line === '' ? 'nothing' : line}`
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return null
  }
}
