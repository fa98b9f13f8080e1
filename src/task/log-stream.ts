import { closeSync, fstatSync, readSync } from 'node:fs'
import { Observable, type Subscriber } from 'rxjs'
import type { LogOptions } from '../api.ts'
import type { FileTarget } from '../spawn/spec.ts'
import { LogCursor } from './log-cursor.ts'
import { LogFiles } from './log-files.ts'
import { tailPlace } from './log-reader.ts'
import { LogWatch } from './log-watch.ts'

/** A look all the same: inotify does not see what another kernel writes (network file systems). */
const watchedMs = 1000
/** Without a watch. */
const unwatchedMs = 50
/** A chatty log is looked at so often, not at each of its changes. */
const leastMs = 5

/** A turn's worth, so that a huge log does not stop the program's other work. */
const turnBytes = 1024 * 1024

export type LogSource = {
  /** Known once the task has been launched. */
  target(): FileTarget
  /** How many files there can be of it: 1 where it is not rotated. */
  files(): number
  /** Whether there may be more; false once the task has ended, or its supervisor has let go of it. */
  writing(): boolean
  /** Calls `heard` when that changes: a last look is due at once. Returns the way to hear no more. */
  onEnd(heard: () => void): () => void
  /** Keeps the program running while somebody follows. */
  hold(): () => void
}

/**
 * The bytes of a log in order, across its rotations. Without `follow`, completes at the present end; with it, when the task has ended, or its
 * supervisor was closed, and all is read. A follower that falls behind what is kept goes on with the oldest that is.
 */
export function logStream(source: LogSource, options: LogOptions = {}): Observable<Uint8Array> {
  return new Observable(subscriber => {
    const release = source.hold()
    const stop = options.follow ? follow(source, options, subscriber) : replay(source, options, subscriber)
    return () => {
      stop()
      release()
    }
  })
}

const beginningOf = ({ fromStart = true, tail }: LogOptions) =>
  tail !== undefined ? { lines: tail } : fromStart ? 'start' : 'end'

function follow(source: LogSource, options: LogOptions, subscriber: Subscriber<Uint8Array>): () => void {
  let cursor: LogCursor | null = null
  let watch: LogWatch | null = null
  // What is written to a log that is not there yet comes from now on.
  let from: ReturnType<typeof beginningOf> = beginningOf(options)
  let next: { readonly cancel: () => void; readonly idle: boolean } | null = null
  let lookedAt = 0

  const look = (): void => {
    next = null
    lookedAt = performance.now()
    try {
      // Asked before reading: what was written before the end is then surely read below.
      const writing = source.writing()
      const files = new LogFiles(source.target(), source.files())
      // Before reading, too, or what comes in between would be noticed late.
      if (writing && !watch?.works && source.target().path !== '') watch = new LogWatch(source.target(), wake)
      cursor ??= LogCursor.open(files, from)
      from = 'start'
      const behind = cursor !== null && pump(cursor, writing)
      if (subscriber.closed) return
      if (behind) schedule(0)
      else if (writing) schedule(watch?.works ? watchedMs : unwatchedMs)
      else subscriber.complete()
    } catch (error) {
      subscriber.error(error)
    }
  }

  /** True when there may be more. */
  const pump = (from: LogCursor, writing: boolean): boolean => {
    for (let bytes = 0; bytes < turnBytes && !subscriber.closed;) {
      const chunk = from.read(writing)
      if (chunk === null) return false
      bytes += chunk.length
      subscriber.next(chunk)
    }
    return true
  }

  const schedule = (milliseconds: number): void => {
    if (milliseconds === 0) {
      const turn = setImmediate(look)
      next = { cancel: () => clearImmediate(turn), idle: false }
      return
    }
    const timer = setTimeout(look, milliseconds)
    next = { cancel: () => clearTimeout(timer), idle: milliseconds > leastMs }
  }

  function wake(): void {
    if (next === null || !next.idle) return
    next.cancel()
    schedule(Math.max(0, Math.ceil(lookedAt + leastMs - performance.now())))
  }

  const hearNoMore = source.onEnd(wake)
  look()
  return () => {
    hearNoMore()
    next?.cancel()
    next = null
    watch?.close()
    cursor?.close()
    cursor = null
  }
}

/** What is there now: files that are rotated away meanwhile are held, those that come are not looked at. */
function replay(source: LogSource, options: LogOptions, subscriber: Subscriber<Uint8Array>): () => void {
  const from = beginningOf(options)
  let turn: NodeJS.Immediate | null = null
  let opened: { readonly fd: number; readonly size: number }[] = []
  let position = 0

  const go = (): void => {
    try {
      for (let bytes = 0; bytes < turnBytes && !subscriber.closed;) {
        const [at] = opened
        if (at === undefined) {
          subscriber.complete()
          return
        }
        const chunk = Buffer.allocUnsafe(Math.min(64 * 1024, at.size - position))
        const count = chunk.length === 0 ? 0 : readSync(at.fd, chunk, 0, chunk.length, position)
        position += count
        bytes += count
        if (count > 0) subscriber.next(chunk.subarray(0, count))
        else nextFile()
      }
      if (!subscriber.closed) turn = setImmediate(go)
    } catch (error) {
      subscriber.error(error)
    }
  }

  const nextFile = (): void => {
    const [done] = opened.splice(0, 1)
    if (done !== undefined) closeSync(done.fd)
    position = 0
  }

  try {
    const files = new LogFiles(source.target(), source.files())
    opened = files.openAll().map(({ fd }) => ({ fd, size: fstatSync(fd).size }))
    if (from !== 'start' && opened.length > 0) {
      const place = tailPlace(
        opened.map(({ fd }) => fd),
        from === 'end' ? 0 : from.lines,
      )
      for (let skipped = 0; skipped < place.index; skipped++) nextFile()
      position = place.offset
    }
    go()
  } catch (error) {
    subscriber.error(error)
  }
  return () => {
    if (turn !== null) clearImmediate(turn)
    while (opened.length > 0) nextFile()
  }
}
