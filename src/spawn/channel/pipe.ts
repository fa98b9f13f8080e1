import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { HoldfastError } from '../../errors.ts'
import type { Channel } from './channel.ts'
import { untilClosed } from './until-closed.ts'

/**
 * Named pipes of Windows. The file at the path has the pipe's name (endpoint.ts), which the kernel forgets
 * with the process that made it; lines are written to the very pipe by which that one is known to live.
 */
export const pipeChannel: Channel = {
  isHeld(path) {
    const fd = openPipe(path)
    if (typeof fd === 'number') closeSync(fd)
    return fd !== null
  },

  watch(path, keepAlive, onGone) {
    const name = pipeName(path)
    if (name === null) {
      const tick = setImmediate(onGone)
      return () => clearImmediate(tick)
    }
    return untilClosed(connect(name), keepAlive, onGone)
  },

  send(path, line) {
    for (let tries = 0; tries < 100; tries++) {
      const fd = openPipe(path)
      if (fd === null) return false
      if (fd === 'busy') {
        Atomics.wait(pause, 0, 0, 10)
        continue
      }
      try {
        writeSync(fd, `\n${line}\n`)
        return true
      } catch {
        // It went between open and write.
        return false
      } finally {
        closeSync(fd)
      }
    }
    return false
  },
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Null: nobody holds it. `busy`: somebody does, and has others to serve first. */
function openPipe(path: string): number | 'busy' | null {
  const name = pipeName(path)
  if (name === null) return null
  try {
    return openSync(name, 'r+')
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code
    if (errno === 'ENOENT') return null
    if (errno === 'EBUSY') return 'busy'
    throw new HoldfastError('INVALID_STATE', `cannot open ${name}: ${errno}`, { errno, path, cause: error })
  }
}

function pipeName(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code
    if (errno === 'ENOENT') return null
    throw new HoldfastError('INVALID_STATE', `cannot read ${path}: ${errno}`, { errno, path, cause: error })
  }
}
