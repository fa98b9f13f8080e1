import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/**
 * The keys of all tasks, of whatever state directory, that a living process is at work on: it has a file of the task's directory open, as a shim
 * has from before it makes the first cgroup until after it has removed the last. Null: there is a shim that cannot be looked into, or no /proc.
 */
export function heldKeys(proc = '/proc'): ReadonlySet<string> | null {
  const keys = new Set<string>()
  try {
    for (const pid of readdirSync(proc).filter(name => /^\d+$/.test(name)))
      for (const path of openPaths(`${proc}/${pid}`)) {
        const key = /\/tasks\/([0-9a-z]{14})(?:\/| |$)/.exec(path)?.[1]
        if (key !== undefined) keys.add(key)
      }
  } catch {
    return null
  }
  return keys
}

function openPaths(process: string): string[] {
  try {
    return readdirSync(`${process}/fd`).map(fd => linkOf(`${process}/fd/${fd}`))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return []
    if (!isShim(process)) return []
    throw error
  }
}

function isShim(process: string): boolean {
  try {
    return readFileSync(`${process}/comm`, 'latin1').trim() === 'holdfast-shim'
  } catch {
    return false
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Closed between the listing and the look.
    return ''
  }
}
