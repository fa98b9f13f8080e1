import { readdirSync } from 'node:fs'
import { readLink, textIfReadable } from '../if-there.ts'

/**
 * Who is at work on what: whether a living process of root's, or of the owner of something, holds the task of
 * that key.
 */
export type Holders = (key: string, owner: number) => boolean

/**
 * Looks for the tasks, of whatever state directory, that a living process is at work on: it has a file of the
 * task's directory open, as a shim has from before it makes the first cgroup until after it has removed the
 * last. What a process of somebody else holds, or calls itself, says nothing of what is root's or ours, and
 * processes in a pid namespace below ours are tasks, no shims. All is held of an owner whose shim cannot be
 * looked into, and of everybody where there is no /proc.
 */
export function lookForHolders(proc = '/proc'): Holders {
  const held = new Map<number, Set<string>>()
  const hidden = new Set<number>()
  try {
    const depth = identityOf(`${proc}/self`)?.depth ?? 1
    for (const pid of readdirSync(proc).filter(name => /^\d+$/.test(name))) {
      const identity = identityOf(`${proc}/${pid}`)
      if (identity === null || identity.depth > depth) continue
      const keys = keysOf(`${proc}/${pid}`, identity.name)
      if (keys === null) hidden.add(identity.uid)
      else held.set(identity.uid, new Set([...(held.get(identity.uid) ?? []), ...keys]))
    }
  } catch {
    return () => true
  }
  return (key, owner) => hidden.has(owner) || [0, owner].some(uid => held.get(uid)?.has(key))
}

/** Null: it is a shim, and cannot be looked into. */
function keysOf(process: string, name: string): string[] | null {
  try {
    const paths = readdirSync(`${process}/fd`).map(fd => readLink(`${process}/fd/${fd}`))
    return paths.flatMap(path => /\/tasks\/([0-9a-z]{14})(?:\/| |$)/.exec(path)?.[1] ?? [])
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ESRCH' || name !== 'holdfast-shim' ? [] : null
  }
}

type Identity = { readonly name: string; readonly uid: number; readonly depth: number }

/**
 * From /proc/PID/status, which everybody may read; null for what is gone. `depth`: in how many pid namespaces
 * it has a number, as seen from here.
 */
function identityOf(process: string): Identity | null {
  const text = textIfReadable(`${process}/status`, 'latin1')
  if (text === null) return null
  // The name comes first, and the kernel escapes a newline in it.
  const field = (name: string) => new RegExp(`^${name}:\\t(.*)$`, 'm').exec(text)?.[1] ?? ''
  const numbers = field('NSpid').split('\t').filter(Boolean)
  return {
    name: field('Name'),
    uid: Number(field('Uid').split('\t')[0] ?? Number.NaN),
    depth: numbers.length || 1,
  }
}
