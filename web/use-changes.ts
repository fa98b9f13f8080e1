import { useEffect, useState } from 'preact/hooks'
import { getJson } from './connection.ts'
import type { ChangeList, Row } from './types.ts'

export type Changes = {
  readonly list: ChangeList | null
  readonly error: string | null
  /** Counts the lists that have come. */
  readonly round: number
}

/** To read them again takes the host some work: it has at least nine times as long for its own. */
const everyMs = 3000
const share = 10

/** What a task has changed, read again while it runs and somebody looks, and when `asked` changes. */
export function useChanges({ key, state }: Row, asked: number): Changes {
  const [changes, set] = useState<Changes>({ list: null, error: null, round: 0 })
  useEffect(() => {
    const control = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async (): Promise<void> => {
      const begin = performance.now()
      if (document.visibilityState === 'visible')
        await getJson<ChangeList>(`/api/tasks/${key}/changes`, control.signal).then(
          list => set(({ round }) => ({ list, error: null, round: round + 1 })),
          (error: Error) => {
            if (!control.signal.aborted) set(({ list, round }) => ({ list, error: error.message, round }))
          },
        )
      if (control.signal.aborted || (state !== 'running' && state !== 'stopping')) return
      timer = setTimeout(() => void read(), Math.max(everyMs, (performance.now() - begin) * share))
    }
    void read()
    return () => {
      control.abort()
      clearTimeout(timer)
    }
  }, [key, state, asked])
  return changes
}
