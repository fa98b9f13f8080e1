import { constants, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { anchored } from '../anchored.ts'
import { TrustedWalk } from './trusted-walk.ts'

const noLink = constants.O_NOFOLLOW ?? 0

/**
 * open(2) of a path of the caller's, by a TrustedWalk: a link that a task, or another user, could have put
 * there is refused, PERMISSION, named. Throws what open(2) says otherwise. Where there is no /proc, the last
 * component alone is no link.
 */
export function openTrusted(path: string, flags: number, mode = 0o640): number {
  return openFound(path, flags, mode).fd
}

/** The same, and whether it lies in an allocation, where tasks can have made it. */
export function openFound(path: string, flags: number, mode = 0o640): Found {
  if (!anchored) return { fd: openSync(path, flags | noLink, mode), inAllocation: false }
  // Not resolve()'s result: `..` after a link is the kernel's to say.
  const walk = new TrustedWalk(path.startsWith('/') ? path : `${resolve('.')}/${path}`)
  try {
    const name = walk.to('follow')
    const follows = name === null || walk.isOwnDescriptor(name)
    const fd = openSync(walk.at(name ?? '.'), follows ? flags : flags | noLink, mode)
    return { fd, inAllocation: walk.inAllocation }
  } finally {
    walk.end()
  }
}

export type Found = { readonly fd: number; readonly inAllocation: boolean }
