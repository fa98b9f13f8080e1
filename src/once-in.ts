/**
 * What is asked of the host again and again, asked once in that many milliseconds. For what changes by
 * somebody's hand, where an answer that is so old is as good as one that was given just before the change.
 * `of` names what is asked for; only the last few are kept.
 */
export function onceIn<T>(milliseconds: number, ask: (of: string) => T): (of: string) => T {
  const known = new Map<string, { readonly answer: T; readonly at: number }>()
  return of => {
    const now = performance.now()
    const last = known.get(of)
    if (last !== undefined && now - last.at < milliseconds) return last.answer
    const answer = ask(of)
    if (known.size >= maxKept) known.clear()
    known.set(of, { answer, at: now })
    return answer
  }
}

const maxKept = 32
