import { closeSync, fstatSync, readSync } from 'node:fs'
import { Observable } from 'rxjs'
import type { LogOptions } from '../api.ts'
import type { FileTarget } from '../spawn/spec.ts'
import { openLogForReading, tailOffset } from './log-reader.ts'

/** How often a followed log is looked at. inotify does not see what another kernel writes (network file systems), and costs a watch per reader. */
const pollMs = 50

export type LogSource = {
  /** Known once the task has been launched. */
  target(): FileTarget
  /** Whether the task can still write; false once it has ended. */
  writing(): boolean
  /** Resolves when the task has ended: a last look is due at once. */
  readonly ended: Promise<unknown>
  /** Keeps the program running while somebody follows. */
  hold(): () => void
}

/** The bytes of a log in order. Without `follow`, completes at the present end; with it, when the task has ended and all is read. */
export function logStream(
  source: LogSource,
  { follow = false, fromStart = true, tail }: LogOptions = {},
): Observable<Uint8Array> {
  return new Observable(subscriber => {
    const release = source.hold()
    let fd: number | null = null
    let position = -1
    let timer: NodeJS.Timeout | null = null

    const look = (): void => {
      timer = null
      try {
        // Asked before reading: what was written before the end is then surely read below.
        const last = !follow || !source.writing()
        fd ??= openLogForReading(source.target())
        if (fd !== null) {
          const { size } = fstatSync(fd)
          if (position < 0) position = tail !== undefined ? tailOffset(fd, size, tail) : fromStart ? 0 : size
          position = pump(fd, position, size)
        }
        if (subscriber.closed) return
        const behind = fd !== null && position < fstatSync(fd).size
        if (behind) timer = setTimeout(look, 0)
        else if (last) subscriber.complete()
        else timer = setTimeout(look, pollMs)
      } catch (error) {
        subscriber.error(error)
      }
    }

    const pump = (from: number, start: number, end: number): number => {
      let at = start
      // A turn's worth, so that a huge log does not stop the program's other work.
      const stop = Math.min(end, start + 1024 * 1024)
      while (at < stop && !subscriber.closed) {
        const chunk = Buffer.allocUnsafe(Math.min(64 * 1024, stop - at))
        const read = readSync(from, chunk, 0, chunk.length, at)
        if (read === 0) break
        at += read
        subscriber.next(chunk.subarray(0, read))
      }
      return at
    }

    void source.ended.then(wake, wake)
    function wake(): void {
      if (timer === null) return
      clearTimeout(timer)
      look()
    }

    look()
    return () => {
      if (timer !== null) clearTimeout(timer)
      if (fd !== null) closeSync(fd)
      release()
    }
  })
}
