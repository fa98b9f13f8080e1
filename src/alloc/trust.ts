import type { BigIntStats } from 'node:fs'

/** Whose word counts: root's and our own. */
export type Self = { readonly uid: number; readonly gid: number }

export function ownSelf(): Self {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
}

const groupWrites = 0o020n
const othersWrite = 0o002n
const sticky = 0o1000n

/** Whether it belongs to root or to us. */
export function isOursOrRoots({ uid }: BigIntStats, self: Self = ownSelf()): boolean {
  return uid === 0n || uid === BigInt(self.uid)
}

/**
 * Who else could put something else in the place of an entry of this directory; null: nobody but root and us.
 * In a sticky directory nobody can replace what is not his (unlink(2), EPERM), so that it depends on whose
 * the entry is, as in fs.protected_symlinks.
 */
export function foreignIn(directory: BigIntStats, entry: BigIntStats, self: Self = ownSelf()): string | null {
  if (!isOursOrRoots(directory, self)) return `user ${directory.uid} owns the directory it is in`
  if (isOursOrRoots(entry, self) && (directory.mode & sticky) !== 0n) return null
  const writer = writerOf(directory, self)
  return writer === null ? null : `${writer} in the directory it is in`
}

/**
 * Who may write in it but root and us; null: nobody. A group of the user's own, as most distributions make
 * one, is the user.
 */
export function writerOf({ mode, gid }: BigIntStats, self: Self = ownSelf()): string | null {
  if ((mode & othersWrite) !== 0n) return 'everybody may write'
  const ownGroup = gid === 0n || (gid === BigInt(self.gid) && self.gid === self.uid)
  if ((mode & groupWrites) !== 0n && !ownGroup) return `group ${gid} may write`
  return null
}
