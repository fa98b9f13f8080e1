import { join } from 'node:path'
import { v1Knobs } from '../linux/cgroup-v1.ts'
import { v2Knobs } from '../linux/cgroup-v2.ts'
import type { Knob } from '../linux/knob.ts'
import type { Limits } from '../limits.ts'
import type { CgroupFiles } from './cgroup-files.ts'
import { type Finding, judged, together, unread, unverifiable } from './finding.ts'
import { isAtLeast } from './knob-values.ts'

/**
 * What the files of the task's cgroups say of these limits. They count for a process that is in them, or
 * below them.
 */
export function limitInForce(
  wanted: ReadonlySet<keyof Limits>,
  limits: Limits,
  pid: number,
  cgroups: CgroupFiles,
): Finding {
  const knobs = [...v1Knobs, ...v2Knobs].filter(({ limit }) => limit !== null && wanted.has(limit))
  if (knobs.length === 0) return unverifiable
  const found = knobs.flatMap(knob => {
    const dir = cgroups.directoryOf(knob)
    return dir === null ? [] : valuesOf(knob, limits, { dir, pid, cgroups })
  })
  const gone = cgroups.gone()
  if (found.length > 0) return together(found)
  if (gone.length > 0) return judged(false, `${gone.join(', ')} is gone`)
  return unread('none of its cgroups has a file of it')
}

type Place = { readonly dir: string; readonly pid: number; readonly cgroups: CgroupFiles }

function valuesOf({ files }: Knob, limits: Limits, { dir, pid, cgroups }: Place): Finding[] {
  const file = files.find(({ name, values }) => values(limits).length > 0 && cgroups.has(join(dir, name)))
  if (file === undefined) return []
  const path = join(dir, file.name)
  const text = cgroups.read(path)
  if (text === null) return [unread(`${path} cannot be read`)]
  const isMember = cgroups.isMember(dir)
  if (isMember === null) return [unread(`nothing says whether process ${pid} is in ${dir}`)]
  if (!isMember) return [judged(false, `process ${pid} is not in ${dir}`)]
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
