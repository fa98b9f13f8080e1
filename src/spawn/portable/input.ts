import { closeSync, constants, fstatSync, openSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { O_PATH } from '../../alloc/directory.ts'
import { openFound } from '../../alloc/open-trusted.ts'
import { anchored } from '../../anchored.ts'
import type { LaunchSpec } from '../spec.ts'
import { carryInput } from './input-pipe.ts'
import * as opening from './opening.ts'

const { O_RDONLY, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK } = constants

/**
 * Opens the standard input; beneath `base` a plain file without a link on the way, see openLog. None of it
 * waits: a FIFO is read by this process, so that the start does not depend on its writer.
 */
export function openInput(
  spec: Pick<LaunchSpec, 'stdin' | 'dir' | 'credentials'>,
  given: opening.ExternalDescriptors,
): number {
  const { base, path } = spec.stdin
  if (base === null && opening.isExternal(path))
    return openExternal(opening.externalDescriptor(path, given), spec)
  if (base === null) return anchored ? openPath(path, spec) : openByName(path, spec)
  opening.refuseLinks(base, path)
  const full = join(base, path)
  return opening.checkedFile(openSync(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), full)
}

type Carried = Pick<LaunchSpec, 'dir' | 'credentials'>

/**
 * Found first and opened then: whether it is one that a task could have put there has to be known before its
 * opening can wait or do anything.
 */
function openPath(path: string, carried: Carried): number {
  const { fd, inAllocation } = openFound(path, O_PATH)
  try {
    const stat = fstatSync(fd)
    if (stat.isDirectory()) throw opening.refused('EISDIR', 21, `${path} is a directory`)
    if (inAllocation) opening.refuseUnlessPlain(stat, path)
    const found = opening.descriptorPath(fd)
    if (stat.isFIFO()) return carryInput(openSync(found, O_RDONLY | O_NONBLOCK), carried)
    return openSync(found, O_RDONLY | O_NOCTTY)
  } finally {
    closeSync(fd)
  }
}

function openByName(path: string, carried: Carried): number {
  if (statSync(path).isFIFO()) return carryInput(openSync(path, O_RDONLY | O_NONBLOCK), carried)
  return openSync(path, O_RDONLY | O_NOCTTY)
}

/** What it is when it is asked for: a FIFO that nobody writes to (any more) is at its end. */
function openExternal(fd: number, carried: Carried): number {
  const stat = fstatSync(fd)
  if (stat.isSocket() || !opening.hasDescriptorPaths()) return fd
  const path = opening.descriptorPath(fd)
  // A pipe without a name can be opened without its writer.
  if (stat.isFIFO() && process.platform === 'linux' && !readlinkSync(path).startsWith('pipe:'))
    return carryInput(openSync(path, O_RDONLY | O_NONBLOCK), carried, 'now')
  return openSync(path, O_RDONLY | O_NOCTTY)
}
