import { type Dirent, lstatSync, readdirSync } from 'node:fs'

/** How long a look is believed: walking all of /etc takes some milliseconds. */
const rememberMs = 10_000
let known:
  { readonly until: number; readonly directory: string; readonly paths: readonly string[] } | undefined

/**
 * What root, or root's group, owns in a directory and others may not read: password hashes, private keys,
 * secrets of services. A task of user 0 without capabilities is their owner, so that their modes keep nothing
 * from it. A directory that others may not enter counts as one.
 */
export function rootsOwnFiles(directory: string): readonly string[] {
  if (known?.directory !== directory || performance.now() >= known.until)
    known = { until: performance.now() + rememberMs, directory, paths: walk(directory) }
  return known.paths
}

function walk(directory: string): string[] {
  return entriesOf(directory).flatMap(entry => {
    const path = `${directory}/${entry.name}`
    if (entry.isSymbolicLink()) return []
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats === undefined) return []
    const rootsOwn = stats.uid === 0 || stats.gid === 0
    if (entry.isDirectory()) return rootsOwn && (stats.mode & 0o001) === 0 ? [path] : walk(path)
    return rootsOwn && (stats.mode & 0o004) === 0 ? [path] : []
  })
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    return []
  }
}
