import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isOursOrRoots, ownSelf, writerOf } from '../alloc/trust.ts'
import { HoldfastError } from '../errors.ts'
import { idMaps, isMapped } from '../id-maps.ts'

const sticky = 0o1000n
// The kernel's own (MAXSYMLINKS, include/linux/namei.h).
const maxLinks = 40
/** Whom the kernel names in place of somebody without a number. */
const overflow = 65_534n

/**
 * Throws PERMISSION unless only root and we can have put there what lies in a directory: it, all above it and
 * the links that lead to it belong to one of the two, and nobody else may write in them, as ssh demands it of
 * its files (StrictModes). Records say what to kill and where to write: who could edit them would have our
 * rights. Above the directory itself a sticky one may be everybody's (/tmp). What is not there yet is
 * trusted.
 */
export function assertTrustedPath(path: string): void {
  if (process.geteuid === undefined) return
  const { entered, whole } = walked(path)
  for (const [index, one] of entered.entries())
    assertTrusted(one, whole && index === entered.length - 1 ? 'own' : 'above')
}

/** The same of one directory inside of a trusted one, where nothing is everybody's. */
export function assertTrustedDirectory(path: string): void {
  if (process.geteuid === undefined) return
  const stats = look(path)
  if (stats === null) return
  if (!stats.isDirectory()) throw refused(path, 'it is not a directory', `remove it: rm '${path}'`)
  assertTrusted({ path, stats }, 'own')
}

type Entered = { readonly path: string; readonly stats: BigIntStats }

/** Null also for what cannot be looked at: whoever uses it is told why. */
function look(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true })
  } catch {
    return null
  }
}

/** Every directory and link on the way, as far as there is one; `whole` when there are all. */
function walked(path: string): { readonly entered: readonly Entered[]; readonly whole: boolean } {
  const entered: Entered[] = []
  let at = '/'
  let names = path.split('/').filter(Boolean)
  let links = 0
  const enter = (next: string): BigIntStats | null => {
    const stats = look(next)
    if (stats !== null) entered.push({ path: next, stats })
    return stats
  }
  enter(at)
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = name === '..' ? dirname(at) : join(at, name)
    const stats = enter(next)
    if (stats === null) return { entered, whole: false }
    if (!stats.isSymbolicLink()) {
      at = next
      continue
    }
    if (++links > maxLinks) return { entered, whole: false }
    const target = readlinkSync(next)
    if (target.startsWith('/')) at = '/'
    names = [...target.split('/').filter(part => part !== '' && part !== '.'), ...names]
  }
  return { entered, whole: true }
}

function assertTrusted({ path, stats }: Entered, place: 'own' | 'above'): void {
  if (!isOursOrRoots(stats) && !(place === 'above' && isUnmapped(stats)))
    throw refused(
      path,
      `it belongs to user ${stats.uid}, who could change what is in it`,
      `run as that user, or take it over: chown -h ${ownSelf().uid} '${path}'`,
    )
  if (stats.isSymbolicLink() || (place === 'above' && (stats.mode & sticky) !== 0n)) return
  const writer = writerOf(stats)
  if (writer === null) return
  const mode = (stats.mode & 0o7777n).toString(8).padStart(4, '0')
  throw refused(path, `its mode is ${mode}: ${writer}`, `chmod go-w '${path}'`)
}

function refused(path: string, why: string, hint: string): HoldfastError {
  return new HoldfastError('PERMISSION', `the state in ${path} is not trusted: ${why}`, {
    stage: 'state',
    path,
    hint,
  })
}

/**
 * In a user namespace without the host's root the system's directories belong to nobody that it knows
 * (user_namespaces(7), overflow ids): it has no root at all (a sandbox), or one by name that `/` does not
 * belong to (`unshare --map-root-user`). What is the state's own is never so.
 */
function isUnmapped({ uid }: BigIntStats): boolean {
  const { users } = idMaps()
  if (uid !== overflow || isMapped(users, Number(overflow))) return false
  return !isMapped(users, 0) || look('/')?.uid === overflow
}
