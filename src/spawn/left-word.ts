import { closeSync, constants, openSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import type { ControlLine } from './channel/channel.ts'

/**
 * What a signal that follows means, for a shim that cannot read what a signal carries (sigqueue(3)): the
 * portable one. Left in the task's directory, where that is still there; else the signal has to do.
 */
export function leaveWord(dir: string, line: ControlLine): void {
  try {
    writeFileSync(`${dir}/word.tmp`, `${line}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(`${dir}/word.tmp`, `${dir}/word`)
  } catch (error) {
    // The directory is gone, or somebody else is at it. What a full disk has cut short is ours, and would be
    // in the way of the next word.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') removeName(`${dir}/word.tmp`)
  }
}

function removeName(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It was never made.
  }
}

/** What was left, once; null: nothing. */
export function takeWord(dir: string): string | null {
  const path = `${dir}/word`
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    try {
      unlinkSync(path)
      return readFileSync(fd, 'latin1').trim()
    } finally {
      closeSync(fd)
    }
  } catch {
    return null
  }
}
