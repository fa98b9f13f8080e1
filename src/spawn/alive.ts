import { closeSync, constants, openSync, readSync } from 'node:fs'
import { Socket } from 'node:net'
import { HoldfastError } from '../errors.ts'
import type { KeepAlive } from './keep-alive.ts'

/** Whether the shim of this task directory lives: it alone holds the write end of `alive`. */
export function shimAlive(dir: string): boolean {
  return isHeld(`${dir}/alive`)
}

/** Calls `onGone` once, when the shim is gone; at the next tick if it already is. Returns the way to stop watching. */
export function watchAlive(dir: string, keepAlive: KeepAlive, onGone: () => void): () => void {
  return watchHeld(`${dir}/alive`, keepAlive, onGone)
}

/** Whether somebody holds the write end of a FIFO. A FIFO that is not there is held by nobody. */
export function isHeld(fifo: string): boolean {
  const fd = openFifo(fifo)
  if (fd === null) return false
  try {
    return hasWriter(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Calls `onGone` once, when nobody holds the write end any more; at the next tick if nobody does now. Returns the way to stop watching.
 * A FIFO is watched through a net.Socket: it costs an epoll entry and no thread.
 */
export function watchHeld(fifo: string, keepAlive: KeepAlive, onGone: () => void): () => void {
  const fd = openFifo(fifo)
  if (fd === null || !hasWriter(fd)) {
    if (fd !== null) closeSync(fd)
    const tick = setImmediate(onGone)
    return () => clearImmediate(tick)
  }
  const socket = new Socket({ fd, readable: true, writable: false })
  const forget = keepAlive.add(socket)
  socket.once('close', () => {
    forget()
    onGone()
  })
  socket.on('error', () => socket.destroy())
  socket.resume()
  return () => {
    forget()
    socket.removeAllListeners('close')
    socket.destroy()
  }
}

function openFifo(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code
    if (errno === 'ENOENT') return null
    // As with the records: too few descriptors say nothing about the one who holds it.
    throw new HoldfastError('INVALID_STATE', `cannot open ${path}: ${errno}`, { errno, path, cause: error })
  }
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
