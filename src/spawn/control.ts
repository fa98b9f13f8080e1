import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { channel, shimAlive } from './alive.ts'
import type { ControlLine } from './channel/channel.ts'

export type { ControlLine }

/** Writes one line to a shim. False when there is no shim to read it. */
export function sendControl(dir: string, line: ControlLine): boolean {
  return channel.send(`${dir}/alive`, line)
}

/** Whether somebody reads such lines. Writes nothing. */
export function controlIsRead(dir: string): boolean {
  try {
    return process.platform === 'win32' ? shimAlive(dir) : fifoIsRead(`${dir}/control`)
  } catch {
    return false
  }
}

function fifoIsRead(path: string): boolean {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  const isFifo = fstatSync(fd).isFIFO()
  closeSync(fd)
  return isFifo
}
