import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { refuse } from './guard.ts'

export type Env = { Bindings: HttpBindings }

type EventWriter = Pick<SSEStreamingApi, 'writeSSE'>

/** A browser has a handful of connections per host; more than this is no browser. */
const maxStreams = 64

/** Server-sent events: bounded in number, each write waiting until the reader has taken the one before. */
export class EventStreams {
  readonly #open = new Set<AbortController>()
  readonly #stallMs: number

  /** A reader that takes nothing for `stallMs` is gone, or wants us to believe that it will be back. */
  constructor(stallMs: number) {
    this.#stallMs = stallMs
  }

  open(context: Context<Env>, body: (stream: EventWriter, gone: AbortSignal) => Promise<void>): Response {
    if (this.#open.size >= maxStreams) return refuse(context, 503, 'too many readers')
    const gone = new AbortController()
    this.#open.add(gone)
    const { outgoing } = context.env
    const cut = (): void => {
      outgoing.destroy()
    }
    gone.signal.addEventListener('abort', cut)
    outgoing.once('close', () => gone.abort())
    return streamSSE(context, async stream => {
      const patient: EventWriter = {
        writeSSE: async message => {
          const timer = setTimeout(() => gone.abort(), this.#stallMs)
          await stream.writeSSE(message).finally(() => clearTimeout(timer))
        },
      }
      try {
        await body(patient, gone.signal)
      } finally {
        this.#open.delete(gone)
        gone.signal.removeEventListener('abort', cut)
      }
    })
  }

  get size(): number {
    return this.#open.size
  }

  closeAll(): void {
    for (const each of [...this.#open]) each.abort()
  }
}
