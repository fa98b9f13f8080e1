import { useEffect, useRef, useState } from 'preact/hooks'
import { LogLines, type Stream } from './log-lines.ts'
import { readLog } from './read-log.ts'

export type Log = {
  lines: LogLines
  /** Bytes that came faster than this page could take them, or were rotated away before. */
  skipped: number
  error: string | null
}

const nothing = (): Log => ({ lines: new LogLines(), skipped: 0, error: null })

/** A task's log as it grows. Whoever shows it is told once a frame, however much comes. */
export function useLog(task: string, stream: Stream | null, begun: boolean): Log {
  const log = useRef(nothing())
  const [, again] = useState(0)
  useEffect(() => {
    log.current = nothing()
    again(count => count + 1)
    if (!begun) return
    const control = new AbortController()
    let frame = 0
    const show = (): void => {
      if (frame !== 0) return
      frame = requestAnimationFrame(() => {
        frame = 0
        again(count => count + 1)
      })
    }
    void readLog(`/api/tasks/${task}/logs${stream === null ? '' : `/${stream}`}`, control.signal, {
      begin: () => {
        log.current = nothing()
        show()
      },
      output: pieces => {
        log.current.lines.write(pieces)
        show()
      },
      skipped: bytes => {
        log.current.skipped += bytes
        show()
      },
      end: error => {
        log.current.error = error
        show()
      },
    })
    return () => {
      control.abort()
      cancelAnimationFrame(frame)
    }
  }, [task, stream, begun])
  return log.current
}
