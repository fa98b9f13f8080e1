import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'

/** What a shim understands; see docs/native-protocol.md. Signals are numbers, times milliseconds. */
export type ControlLine =
  `signal ${number}` | `stop ${number} ${number}` | 'kill' | `wall ${number}` | `size ${number} ${number}`

/**
 * Writes one line to a shim's control FIFO.
 * False when there is no shim to read it: without a reader, a non-blocking open for writing fails with ENXIO (fifo(7)).
 */
export function sendControl(dir: string, line: ControlLine): boolean {
  let fd: number
  try {
    fd = openSync(`${dir}/control`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENXIO' || code === 'ENOENT') return false
    throw error
  }
  try {
    // A regular file of that name would swallow the line and look like success.
    if (!fstatSync(fd).isFIFO()) return false
    // The newline before it ends what another writer may have left unfinished. One write: nothing comes between.
    writeSync(fd, `\n${line}\n`)
    return true
  } catch (error) {
    // EPIPE: the shim went between open and write. EAGAIN: 64 KiB of lines unread, so it is stopped or stuck; the caller escalates.
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EPIPE' || code === 'EAGAIN') return false
    throw error
  } finally {
    closeSync(fd)
  }
}

/** Whether there is a FIFO that somebody reads from. Writes nothing. */
export function controlIsRead(dir: string): boolean {
  try {
    const fd = openSync(`${dir}/control`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    const isFifo = fstatSync(fd).isFIFO()
    closeSync(fd)
    return isFifo
  } catch {
    return false
  }
}
