import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { EnforcedRecord } from '../../../machines/index.ts'
import { textIfReadable } from '../../if-there.ts'
import { processesIn } from '../linux/cgroup-members.ts'
import type { CgroupHost } from '../linux/cgroup-mode.ts'
import { v1Knobs } from '../linux/cgroup-v1.ts'
import type { Knob } from '../linux/knob.ts'

/** The files of a task's cgroups: as they are, or as they were at its start. */
export interface CgroupFiles {
  /** The cgroup of the task that has the files of this knob. */
  directoryOf(knob: Knob): string | null
  has(path: string): boolean
  /** Null: it cannot be read. */
  read(path: string): string | null
  /** Whether the task's process is in it, or below it; null: nothing says it. */
  isMember(dir: string): boolean | null
  /** Cgroups of the task that are no more. */
  gone(): readonly string[]
}

/** A process, the cgroups that its limits are in, and where hierarchies are mounted. */
export type Limited = {
  readonly pid: number
  readonly cgroups: readonly string[]
  readonly host: Pick<CgroupHost, 'v1' | 'v2'>
}

export function presentFiles({ pid, cgroups, host }: Limited): CgroupFiles {
  return {
    directoryOf(knob) {
      const mount = v1Knobs.includes(knob) ? host.v1.get(knob.controller) : host.v2?.mount
      if (mount === undefined) return null
      return cgroups.find(dir => dir.startsWith(`${mount}/`)) ?? null
    },
    has: existsSync,
    read: path => textIfReadable(path, 'latin1')?.trim() ?? null,
    isMember: dir => processesIn(dir).includes(pid),
    gone: () => cgroups.filter(dir => !existsSync(dir)),
  }
}

export function recordedFiles({ files, cgroups }: Pick<EnforcedRecord, 'files' | 'cgroups'>): CgroupFiles {
  const texts = new Map(files.map(({ path, text }) => [path, text]))
  return {
    directoryOf({ files: known }) {
      const path = [...texts.keys()].find(each => known.some(({ name }) => name === basename(each)))
      return path === undefined ? null : dirname(path)
    },
    has: path => texts.has(path),
    read: path => texts.get(path) ?? null,
    isMember: dir => isIn(dir, cgroups),
    gone: () => [],
  }
}

/**
 * By the lines of /proc/PID/cgroup, whose paths begin where the hierarchy is mounted. Of a cgroup that
 * somebody else has made they may begin elsewhere.
 */
function isIn(dir: string, cgroups: string | null): boolean | null {
  if (cgroups === null) return null
  const found = cgroups.split('\n').some(line => {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    for (let at = path; at !== '/' && at !== '.'; at = dirname(at))
      if (dir.endsWith(at) && isMountOf(dir.slice(0, -at.length), controllers)) return true
    return false
  })
  return found || (dir.split('/').includes('holdfast') ? false : null)
}

/** Hierarchies of v1 are mounted under the names of their controllers. */
function isMountOf(mount: string, controllers: string): boolean {
  if (controllers === '') return true
  const names = basename(mount).split(',')
  return controllers.split(',').some(controller => names.includes(controller))
}
