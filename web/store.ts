import { useEffect, useState } from 'preact/hooks'
import { events, Refused } from './connection.ts'
import { addSample, type Sample } from './samples.ts'
import type { Entry, Row, UsageSample } from './types.ts'

type Usage = {
  cpuMs: number | null
  at: number
  limit: number | null
  pids: number | null
  readonly samples: Sample[]
}

type Link = 'connecting' | 'live' | 'broken' | 'refused'

/** What the page knows of the tasks. Those who show it are told at most once a frame, however much comes. */
class Store {
  readonly rows = new Map<string, Row>()
  readonly usage = new Map<string, Usage>()
  /** Of each task, the entries that came while the page was open. */
  readonly entries = new Map<string, Entry[]>()
  link: Link = 'connecting'
  /** The list has come once. */
  loaded = false
  readonly #listeners = new Set<() => void>()
  #asked = false

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changed(): void {
    if (this.#asked) return
    this.#asked = true
    // Not by requestAnimationFrame: a tab in the background would stand still, and its title with it.
    setTimeout(() => {
      this.#asked = false
      for (const listener of this.#listeners) listener()
    }, 16)
  }

  take(name: string, data: string): void {
    if (name === 'snapshot') {
      this.loaded = true
      this.rows.clear()
      for (const row of [...(JSON.parse(data) as { tasks: Row[] }).tasks].reverse())
        this.rows.set(row.key, row)
      for (const key of this.usage.keys()) if (!this.rows.has(key)) this.usage.delete(key)
    } else if (name === 'task') {
      const row = JSON.parse(data) as Row
      this.rows.set(row.key, row)
    } else if (name === 'change') {
      const { key, row, entry } = JSON.parse(data) as { key: string; row: Row; entry: Entry }
      this.rows.set(key, row)
      this.entries.set(key, [...(this.entries.get(key) ?? []), entry])
    } else if (name === 'gone') {
      const { key } = JSON.parse(data) as { key: string }
      for (const map of [this.rows, this.usage, this.entries]) map.delete(key)
    } else if (name === 'usage') this.#measured(JSON.parse(data) as UsageSample)
    this.changed()
  }

  #measured({ at, rows }: UsageSample): void {
    for (const [key, cpuMs, memory, limit, pids] of rows) {
      const before = this.usage.get(key)
      const cpu =
        cpuMs !== null && before !== undefined && before.cpuMs !== null && at > before.at
          ? Math.max(0, (100 * (cpuMs - before.cpuMs)) / (at - before.at))
          : null
      const samples = before?.samples ?? []
      addSample(samples, { at, cpu, memory })
      this.usage.set(key, { cpuMs, at, limit, pids, samples })
    }
  }
}

export const store = new Store()

/** Shows anew whenever something has changed. */
export function useStore(): typeof store {
  const [, again] = useState(0)
  useEffect(() => store.listen(() => again(count => count + 1)), [])
  return store
}

/** Keeps the page told until the signal: after a break from where it was. */
export async function stayConnected(signal: AbortSignal): Promise<void> {
  let lastEventId: string | undefined
  for (let wait = 250; !signal.aborted; wait = Math.min(wait * 2, 4000)) {
    try {
      const opened = (): void => {
        wait = 250
        store.link = 'live'
        store.changed()
      }
      const where = lastEventId === undefined ? {} : { lastEventId }
      await events('/api/events', { signal, opened, ...where }, ({ event, id, data }) => {
        if (id !== undefined) lastEventId = id
        store.take(event ?? '', data)
      })
    } catch (error) {
      if (error instanceof Refused) {
        store.link = 'refused'
        store.changed()
        return
      }
    }
    if (signal.aborted) return
    store.link = 'broken'
    store.changed()
    await new Promise(resolve => setTimeout(resolve, wait))
  }
}
