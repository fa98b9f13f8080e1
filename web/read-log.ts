import { events, Refused } from './connection.ts'
import type { LogPiece } from './types.ts'

export type LogReader = {
  /** It begins anew with the last lines: where it was after a break, nobody can tell. */
  readonly begin: () => void
  readonly output: (pieces: readonly LogPiece[]) => void
  readonly skipped: (bytes: number) => void
  /** `error`: why it cannot be read any further. */
  readonly end: (error: string | null) => void
}

/** Until it is over or nobody wants it any more. */
export async function readLog(path: string, signal: AbortSignal, reader: LogReader): Promise<void> {
  let over = false
  while (!over && !signal.aborted) {
    try {
      await events(path, { signal, opened: reader.begin }, ({ event, data }) => {
        if (event === 'output') reader.output((JSON.parse(data) as { pieces: LogPiece[] }).pieces)
        else if (event === 'skipped') reader.skipped((JSON.parse(data) as { bytes: number }).bytes)
        else if (event === 'end') {
          over = true
          reader.end((JSON.parse(data) as { error: string | null }).error)
        }
      })
    } catch (error) {
      if (error instanceof Refused) return
    }
    if (!over && !signal.aborted) await new Promise(resolve => setTimeout(resolve, 1000))
  }
}
