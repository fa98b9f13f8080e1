import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readText } from '../../if-there.ts'
import { currentBootId, isAlive } from '../../spawn/process-table.ts'
import type { Claim, Place } from './claim.ts'

/**
 * Why a number cannot be another's yet; null: nothing of its task is left. By what is there, never by time:
 * the record, the allocation, files in what the task shared, processes, and what the kernel keeps until it
 * boots anew.
 */
export function whyHeld(number: number, claim: Claim): string | null {
  return whyRecorded(claim) ?? whyLeft(number, claim) ?? runningAs(number)
}

/** The same of a task that has been removed, whose processes are known to be gone. */
export function whyLeft(number: number, { places, lingers, bootId }: Claim): string | null {
  if (lingers && bootId === currentBootId())
    return 'its task had the IPC objects or the keys of the host in reach: what it left there lasts until the next boot'
  for (const place of places) {
    const why = whyInPlace(number, place)
    if (why !== null) return why
  }
  return null
}

/** The device a path is on, or would be: that of the nearest directory there is. */
export function deviceOf(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined && dirname(path) !== path ? deviceOf(dirname(path)) : (stats?.dev ?? 0)
}

function whyRecorded({ stateDir, key, device, by, bootId, isRemoved }: Claim): string | null {
  if (!isRemoved && bootId === currentBootId() && isAlive(by)) return `process ${by.pid} starts its task`
  for (const directory of ['tasks', 'allocs']) {
    const path = join(stateDir, directory, key)
    if (look(path) !== null) return `its task is recorded: ${path}`
    if (deviceOf(path) !== device) return `nobody knows of its task: the file system of ${path} is another`
  }
  return null
}

function whyInPlace(number: number, { path, device }: Place): string | null {
  const stats = look(path)
  if (stats === null)
    return deviceOf(path) === device ? null : `files of it were in ${path}, whose file system is another`
  const budget = { left: maxEntries }
  if (isOf(number, stats)) return `${path} is of it`
  if (!stats.isDirectory()) return null
  const found = holdsFiles(number, Buffer.from(path), budget)
  if (found) return `files of it are in ${path}`
  return budget.left <= 0 ? `${path} has too many files to look for its own` : null
}

/** Of a directory that is looked through while a start or a removal waits. */
const maxEntries = 10_000

/** Names are bytes: what a task has made need be no UTF-8. */
function holdsFiles(number: number, directory: Buffer, budget: { left: number }): boolean {
  for (const name of list(directory)) {
    if (budget.left-- <= 0) return false
    const path = Buffer.concat([directory, Buffer.from('/'), name])
    const stats = look(path)
    if (stats === null) continue
    if (isOf(number, stats) || (stats.isDirectory() && holdsFiles(number, path, budget))) return true
  }
  return false
}

function list(directory: Buffer): Buffer[] {
  try {
    return readdirSync(directory, { encoding: 'buffer' })
  } catch (error) {
    if (isAbsence(error)) return []
    throw error
  }
}

const isOf = (number: number, { uid, gid }: Stats): boolean => uid === number || gid === number

/** By what the kernel says of its ids: files of /proc are root's where a process is not dumpable. */
function runningAs(number: number): string | null {
  const ids = new RegExp(`^[UG]id:.*\\b${number}\\b`, 'm')
  const pid = readdirSync('/proc').find(
    name => /^\d+$/.test(name) && ids.test(readText(`/proc/${name}/status`, 'latin1')),
  )
  return pid === undefined ? null : `process ${pid} runs as it`
}

/** Null: it is not there. What cannot be looked at is there. */
function look(path: string | Buffer): Stats | null {
  try {
    return lstatSync(path)
  } catch (error) {
    if (isAbsence(error)) return null
    throw error
  }
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}
