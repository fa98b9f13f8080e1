import { readFileSync, statSync } from 'node:fs'
import type { IdRange } from '../id-maps.ts'

export type Account = { readonly name: string; readonly uid: number; readonly gid: number }
export type Group = { readonly name: string; readonly gid: number; readonly members: readonly string[] }

/** The accounts of a passwd(5) file. Parsed anew only when the file has changed; empty if it is not there. */
export function readAccounts(path: string): readonly Account[] {
  return parsed(path, accountsByPath, parseAccount)
}

/** The groups of a group(5) file. */
export function readGroups(path: string): readonly Group[] {
  return parsed(path, groupsByPath, parseGroup)
}

/** The ranges of a subuid(5) or subgid(5) file. */
export function readSubordinates(path: string): readonly IdRange[] {
  return parsed(path, subordinatesByPath, line => {
    const [, first, count] = line.split(':')
    const [from, many] = [parseId(first), parseId(count)]
    return from !== null && many !== null ? { first: from, count: many } : null
  })
}

export function parseAccount(line: string): Account | null {
  const [name, , uid, gid] = line.split(':')
  const [user, group] = [parseId(uid), parseId(gid)]
  return name && user !== null && group !== null ? { name, uid: user, gid: group } : null
}

export function parseGroup(line: string): Group | null {
  const [name, , gid, members] = line.split(':')
  const id = parseId(gid)
  return name && id !== null ? { name, gid: id, members: members?.split(',').filter(Boolean) ?? [] } : null
}

/** -1 means "leave it" to setresuid(2): the largest id is one below. */
export const largestId = 2 ** 32 - 2

/** A decimal user or group id, or null. */
export function parseId(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return null
  const id = Number(text)
  return id <= largestId ? id : null
}

type Cached<T> = { readonly version: string; readonly entries: readonly T[] }
const accountsByPath = new Map<string, Cached<Account>>()
const groupsByPath = new Map<string, Cached<Group>>()
const subordinatesByPath = new Map<string, Cached<IdRange>>()

function parsed<T>(
  path: string,
  cache: Map<string, Cached<T>>,
  parse: (line: string) => T | null,
): readonly T[] {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true })
  if (stats === undefined) return []
  // The inode too: vipw and useradd write a new file and rename it, and two writes may share a tick of the
  // clock.
  const version = `${stats.ino} ${stats.mtimeNs} ${stats.size}`
  const cached = cache.get(path)
  if (cached?.version === version) return cached.entries
  const entries = readFileSync(path, 'utf8')
    .split('\n')
    .map(parse)
    .filter(entry => entry !== null)
  cache.set(path, { version, entries })
  return entries
}
