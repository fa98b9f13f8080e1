import { readdirSync, readlinkSync } from 'node:fs'

/** What this process has open at or below a path, sorted. Linux only. */
export function openUnder(path: string): string[] {
  return openFiles()
    .filter(file => file === path || file.startsWith(`${path}/`))
    .sort()
}

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      // The one with which the directory was read.
      return []
    }
  })
}
