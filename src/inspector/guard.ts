import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import type { Connections } from './connections.ts'
import type { HttpBindings } from '@hono/node-server'

/** 256 bits. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * Only requests that were meant for this server, from its own page or from no page at all. A foreign site
 * that has its name resolved to the loopback address (DNS rebinding) sends its own name as Host; one that
 * sends requests across says so in Origin or Sec-Fetch-Site.
 */
export function fromHere(origins: () => ReadonlySet<string>): MiddlewareHandler {
  return async (context, next) => {
    const origin = context.req.header('origin')
    const host = context.req.header('host') ?? ''
    const site = context.req.header('sec-fetch-site')
    if (!origins().has(`http://${host.toLowerCase()}`))
      return refuse(context, 403, 'this server goes by another name')
    if (origin !== undefined && origin !== `http://${host.toLowerCase()}`)
      return refuse(context, 403, 'no requests from other sites')
    // `none`: typed into the address bar.
    if (site !== undefined && site !== 'same-origin' && site !== 'none')
      return refuse(context, 403, 'no requests from other sites')
    return next()
  }
}

/**
 * The token comes in a header that no foreign page can set and no browser adds by itself: there is no cookie,
 * and so nothing that another site, or another server on this host, could make use of.
 */
export function withToken(
  tokens: readonly string[],
  connections: Connections,
): MiddlewareHandler<{ Bindings: HttpBindings }> {
  const digests = tokens.map(digest)
  return async (context, next) => {
    const [, presented = ''] =
      /^Bearer ([\x21-\x7e]{1,512})$/.exec(context.req.header('authorization') ?? '') ?? []
    const seen = digest(presented)
    // All are compared, each in constant time.
    const matches = digests.filter(each => timingSafeEqual(each, seen))
    if (matches.length > 0) {
      connections.prove(context.env.incoming.socket)
      return next()
    }
    context.header('WWW-Authenticate', 'Bearer realm="holdfast"')
    return refuse(
      context,
      401,
      'the token is missing or is another: open the address that was printed at the start',
    )
  }
}

export function refuse(
  context: Context,
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 500 | 503,
  message: string,
) {
  return context.json({ error: { message } }, status)
}

/** Of equal length whatever was given, which timingSafeEqual asks for. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
