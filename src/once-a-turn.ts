/**
 * What is asked of the host again and again while a task is started, asked once in a turn of the event loop:
 * nobody else's turn can come between two askers, and what the host has changed meanwhile the second could
 * have missed as well. `of` names what is asked for.
 */
export function onceATurn<T>(ask: (of: string | undefined) => T): (of: string | undefined) => T {
  const known = new Map<string | undefined, T>()
  return of => {
    if (!known.has(of)) {
      if (known.size === 0) setImmediate(() => known.clear())
      known.set(of, ask(of))
    }
    return known.get(of) as T
  }
}
