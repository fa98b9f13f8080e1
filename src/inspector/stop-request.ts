import type { Context } from 'hono'
import type { ShutdownOptions } from '../index.ts'
import type { Env } from './event-stream.ts'
import { refuse } from './guard.ts'

/** The body of a stop, `{ "graceMs": 5000 }` or `{}`. It has to be called JSON, which no form of a foreign page can do. */
export async function stopRequest(context: Context<Env>): Promise<ShutdownOptions | { refused: Response }> {
  if (!/^application\/json\b/i.test(context.req.header('content-type') ?? ''))
    return { refused: refuse(context, 415, 'takes application/json') }
  const body: unknown = await context.req.json().catch(() => null)
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return { refused: refuse(context, 400, 'takes a JSON object') }
  const { graceMs, ...rest } = body as { graceMs?: unknown }
  const isGrace = typeof graceMs === 'number' && graceMs >= 0 && graceMs <= 86_400_000
  if (Object.keys(rest).length > 0 || !(graceMs === undefined || isGrace))
    return {
      refused: refuse(context, 400, 'takes graceMs, milliseconds from 0 to 86400000, and nothing else'),
    }
  return graceMs === undefined ? {} : { graceMs: graceMs as number }
}
