import { lstatSync, readlinkSync } from 'node:fs'

export type RootEntry = { readonly at: string; readonly link: string | null }

/**
 * What every isolating contender shows of the host, read-only: links as links, the rest by binds. The same
 * list as ours.
 */
export function systemDirectories(): RootEntry[] {
  return ['/bin', '/sbin', '/etc', '/lib', '/lib32', '/lib64', '/usr'].flatMap(at => {
    const stats = lstatSync(at, { throwIfNoEntry: false })
    return stats === undefined ? [] : [{ at, link: stats.isSymbolicLink() ? readlinkSync(at) : null }]
  })
}
