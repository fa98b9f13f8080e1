import type { Context } from 'hono'
import type { ShutdownOptions } from '../index.ts'
import type { Env } from './event-stream.ts'
import { refuse } from './guard.ts'

/**
 * The body of a stop, `{ "graceMs": 5000 }` or `{}`. It has to be called JSON, which no form of a foreign
 * page can do.
 */
export async function stopRequest(context: Context<Env>): Promise<ShutdownOptions | { refused: Response }> {
  if (!/^application\/json\b/i.test(context.req.header('content-type') ?? ''))
    return { refused: refuse(context, 415, 'takes application/json') }
  const text = await boundedBody(context.env.incoming)
  if (text === null) return { refused: refuse(context, 413, 'too long') }
  const body = parsed(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return { refused: refuse(context, 400, 'takes a JSON object') }
  const { graceMs, ...rest } = body as { graceMs?: unknown }
  const isGrace = typeof graceMs === 'number' && graceMs >= 0 && graceMs <= 86_400_000
  if (Object.keys(rest).length > 0 || !(graceMs === undefined || isGrace))
    return {
      refused: refuse(context, 400, 'takes graceMs, milliseconds from 0 to 86400000, and nothing else'),
    }
  return graceMs === undefined ? {} : { graceMs }
}

const maxBytes = 4096

/** Null: it is longer than any of ours, and the rest is not waited for. */
async function boundedBody(incoming: Env['Bindings']['incoming']): Promise<string | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length
    if (bytes > maxBytes) return null
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
