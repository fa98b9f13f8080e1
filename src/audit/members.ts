import { textIfReadable } from '../if-there.ts'
import { readProcess } from '../spawn/process-table.ts'

/** So many processes are named. */
const maxNamed = 5
/** Of a pid that is followed to its ancestors. */
const maxGenerations = 1000

/** `sleep (pid 12), sh (pid 13)`. */
export function inWords(pids: readonly number[]): string {
  const named = pids
    .slice(0, maxNamed)
    .map(pid => (pid === 0 ? 'one of another pid namespace' : `${nameOf(pid)} (pid ${pid})`))
  const more = pids.length - named.length
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

/**
 * Whether a shim is among the ancestors of these, in whatever pid namespace it lives: a container's own
 * holdfast makes its cgroups beside ours. It is root's or the owner's, and no member: what a task calls its
 * own processes says nothing.
 */
export function haveShim(pids: readonly number[], owner: number): boolean {
  const members = new Set(pids)
  return pids.some(pid => {
    let parent = readProcess(pid)?.parent ?? 0
    for (let generation = 0; parent > 1 && generation < maxGenerations; generation++) {
      if (!members.has(parent) && isShim(parent, owner)) return true
      parent = readProcess(parent)?.parent ?? 0
    }
    return false
  })
}

function isShim(pid: number, owner: number): boolean {
  const status = textIfReadable(`/proc/${pid}/status`, 'latin1') ?? ''
  const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1] ?? Number.NaN)
  return /^Name:\tholdfast-shim$/m.test(status) && (uid === 0 || uid === owner)
}

function nameOf(pid: number): string {
  return JSON.stringify((textIfReadable(`/proc/${pid}/comm`, 'latin1') ?? '?').trimEnd()).slice(1, -1)
}
