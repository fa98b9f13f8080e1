import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { HoldfastError, taskDrawing } from '../index.ts'
import { metrics } from '../metrics/index.ts'
import { readAssets } from './assets.ts'
import { Connections } from './connections.ts'
import { EventStreams } from './event-stream.ts'
import { Feed } from './feed.ts'
import { randomToken } from './guard.ts'
import { type InspectorOptions, parseInspectorOptions } from './options.ts'
import { routes } from './routes.ts'
import { Watcher } from './watcher.ts'

export type Inspector = {
  /**
   * The page's address with the token in its fragment, which no browser sends to anybody. Whoever knows it
   * can stop tasks.
   */
  readonly url: string
  readonly host: string
  readonly port: number
  /** For `Authorization: Bearer`; opens everything. */
  readonly token: string
  /** Opens /metrics and nothing else. */
  readonly metricsToken: string
  /** Ends the server. Tasks and supervisor are not touched. Idempotent. */
  close(): Promise<void>
}

/**
 * Serves a web page on loopback that shows the tasks of a supervisor, live, and stops them on request. It
 * keeps the program running until it is closed. Rejects INVALID_ARGUMENT, NOT_FOUND where the page was not
 * built, UNSUPPORTED where the port cannot be had.
 */
export async function inspector(options: InspectorOptions): Promise<Inspector> {
  const settings = parseInspectorOptions(options, randomToken)
  const { supervisor, host, metricsToken, showArguments } = settings
  const assets = readAssets()
  const drawing = await taskDrawing()
  const token = randomToken()
  const origins = new Set<string>()
  const server = createServer({
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: 1_000,
  })
  server.maxConnections = 512
  const connections = new Connections(server, {})
  await listen(server, host, settings.port)
  const { port, address, family } = server.address() as AddressInfo
  const name = family === 'IPv6' ? `[${address}]` : address
  for (const each of new Set([name, 'localhost'])) origins.add(`http://${each}:${port}`)

  const feed = new Feed()
  const watcher = new Watcher(supervisor, feed, showArguments)
  const streams = new EventStreams(settings.stallMs)
  const meter = metrics({ supervisor })
  const parts = {
    supervisor,
    assets,
    drawing,
    feed,
    watcher,
    streams,
    connections,
    metrics: meter,
    token,
    metricsToken,
    showArguments,
  }
  const app = routes({ ...parts, origins: () => origins })
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  server.on('request', (request, response) => {
    answer(request, response).catch(() => response.destroy())
  })

  let closed: Promise<void> | null = null
  return {
    url: `http://${name}:${port}/#token=${token}`,
    host: address,
    port,
    token,
    metricsToken,
    close: () => {
      closed ??= new Promise(resolve => {
        watcher.close()
        meter.close()
        streams.closeAll()
        server.close(() => resolve())
        server.closeAllConnections()
      })
      return closed
    },
  }
}

async function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new HoldfastError(
      'UNSUPPORTED',
      `the inspector cannot listen on ${host}, port ${port}: ${code ?? String(error)}`,
      {
        stage: 'listen',
        errno: code,
        cause: error,
        hint:
          code === 'EADDRINUSE'
            ? 'Another program has the port: choose another, or 0 for a free one.'
            : undefined,
      },
    )
  }
}
