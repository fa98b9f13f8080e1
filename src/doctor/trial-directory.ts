import { chmodSync, lstatSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLink, readNames } from '../if-there.ts'
import { identify, isAlive } from '../spawn/process-table.ts'
import { Supervisor } from '../supervisor/supervisor.ts'

const named = /^holdfast-doctor-(\d+)-(\d+)-(\d+)-\w+$/
/** No look at a host takes that long. */
const oldMs = 3_600_000

/** A new one, that says by its name whose it is: whoever is killed half-way cannot remove it. */
export function makeTrialDirectory(): string {
  const { startTime = 0 } = identify(process.pid) ?? {}
  const owner = [process.pid, startTime, pidNamespace()].join('-')
  const path = mkdtempSync(join(tmpdir(), `holdfast-doctor-${owner}-`))
  // A Basic task of another user passes through it.
  chmodSync(path, 0o711)
  return path
}

export const stateIn = (directory: string): string => join(directory, 'state')

/**
 * Removes what looks of this user's that were killed have left, with the tasks that they had started. What
 * cannot be removed stays for the next one: to look at the host does not depend on it.
 */
export async function removeLeftTrials(): Promise<void> {
  for (const name of readNames(tmpdir())) {
    const path = join(tmpdir(), name)
    if (isLeft(name, path)) await removeLeft(path).catch(() => {})
  }
}

async function removeLeft(directory: string): Promise<void> {
  const supervisor = new Supervisor({ stateDir: stateIn(directory) })
  try {
    for (const key of readNames(join(stateIn(directory), 'tasks'))) await supervisor.discard(key)
  } finally {
    await supervisor.close()
  }
  rmSync(directory, { recursive: true, force: true })
}

function isLeft(name: string, path: string): boolean {
  const [, pid, startTime, namespace] = named.exec(name) ?? []
  if (pid === undefined) return false
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat?.isDirectory() || stat.uid !== process.geteuid?.()) return false
  const own = pidNamespace()
  // Whose number says nothing here, because of another namespace or no /proc, may well live.
  if (own === 0 || Number(namespace) !== own) return Date.now() - stat.mtimeMs > oldMs
  return !isAlive({ pid: Number(pid), startTime: Number(startTime) })
}

/** 0: nobody can say. */
function pidNamespace(): number {
  return Number(/\d+/.exec(readLink('/proc/self/ns/pid')))
}
