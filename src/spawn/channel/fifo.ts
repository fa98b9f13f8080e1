import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { dirname } from 'node:path'
import { HoldfastError } from '../../errors.ts'
import { systemError } from '../../system-error.ts'
import type { KeepAlive } from '../keep-alive.ts'
import type { Channel, ControlLine } from './channel.ts'
import { untilClosed } from './until-closed.ts'

/** FIFOs: `alive`, whose write end the one who lives holds, and `control` beside it. */
export const fifoChannel: Channel = {
  isHeld,
  watch: watchHeld,
  send: (path, line) => sendLine(`${dirname(path)}/control`, line),
}

/** Whether somebody holds the write end of a FIFO. A FIFO that is not there is held by nobody. */
function isHeld(fifo: string): boolean {
  const fd = openFifo(fifo)
  if (fd === null) return false
  try {
    return hasWriter(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Calls `onGone` once, when nobody holds the write end any more; at the next tick if nobody does now. Returns
 * the way to stop watching. A FIFO is watched through a net.Socket: it costs an epoll entry and no thread.
 */
function watchHeld(fifo: string, keepAlive: KeepAlive, onGone: () => void): () => void {
  const fd = openFifo(fifo)
  if (fd === null || !hasWriter(fd)) {
    if (fd !== null) closeSync(fd)
    const tick = setImmediate(onGone)
    return () => clearImmediate(tick)
  }
  return untilClosed(new Socket({ fd, readable: true, writable: false }), keepAlive, onGone)
}

function openFifo(path: string): number | null {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code
    if (errno === 'ENOENT') return null
    // A link, a socket.
    if (errno === 'ELOOP' || errno === 'ENXIO') throw noFifo(path, error)
    // As with the records: too few descriptors say nothing about the one who holds it.
    const { denied, words, hint, ...details } = systemError(error)
    const message = `cannot open ${path}: ${details.errno ?? words}`
    throw new HoldfastError(denied ? 'PERMISSION' : 'INVALID_STATE', message, {
      ...details,
      path,
      hint,
      cause: error,
    })
  }
  if (fstatSync(fd).isFIFO()) return fd
  closeSync(fd)
  throw noFifo(path)
}

/** Nothing can be learned from it: neither that the holder lives nor that it is gone. */
function noFifo(path: string, cause?: unknown): HoldfastError {
  return new HoldfastError('STATE_CORRUPT', `${path} cannot be used: it is not a FIFO`, {
    path,
    cause,
    hint: 'Nothing was changed; `holdfast rm --force` (supervisor.discard) kills and removes the task.',
  })
}

/**
 * Asked by read, not by poll: poll reports no hang-up on a FIFO whose last writer left before we opened it
 * (the kernel compares the writer count with the one at open), but read returns 0 at once.
 */
function hasWriter(fd: number): boolean {
  try {
    readSync(fd, Buffer.allocUnsafe(1))
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return true
    throw error
  }
}

/**
 * False when there is no shim to read it: without a reader, a non-blocking open for writing fails with ENXIO
 * (fifo(7)).
 */
function sendLine(path: string, line: ControlLine): boolean {
  let fd: number
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // The last two: a directory or a link lies in its place.
    if (code === 'ENXIO' || code === 'ENOENT' || code === 'EISDIR' || code === 'ELOOP') return false
    throw error
  }
  try {
    // A regular file of that name would swallow the line and look like success.
    if (!fstatSync(fd).isFIFO()) return false
    // The newline before it ends what another writer may have left unfinished. One write: nothing comes
    // between.
    writeSync(fd, `\n${line}\n`)
    return true
  } catch (error) {
    // EPIPE: the shim went between open and write. EAGAIN: 64 KiB of lines unread, so it is stopped or stuck;
    // the caller escalates.
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EPIPE' || code === 'EAGAIN') return false
    throw error
  } finally {
    closeSync(fd)
  }
}
