import { Hono, type Context } from 'hono'
import { type DrawingElement, type Executor, HoldfastError, type Supervisor } from '../index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { Asset } from './assets.ts'
import { ChangeReader } from './changes.ts'
import type { Connections } from './connections.ts'
import { endOf } from './end.ts'
import { type Env, type EventStreams } from './event-stream.ts'
import type { Feed } from './feed.ts'
import { follow } from './follow.ts'
import { fromHere, refuse, withToken } from './guard.ts'
import { strictHeaders } from './headers.ts'
import { followLog } from './log-feed.ts'
import { redacted } from './redact.ts'
import { rowOf } from './row.ts'
import { stopRequest } from './stop-request.ts'
import type { Watcher } from './watcher.ts'

export type Parts = {
  readonly supervisor: Supervisor
  readonly assets: ReadonlyMap<string, Asset>
  readonly drawing: DrawingElement
  readonly feed: Feed
  readonly watcher: Watcher
  readonly streams: EventStreams
  readonly connections: Connections
  readonly metrics: Metrics
  readonly token: string
  readonly metricsToken: string
  readonly showArguments: boolean
  /** `http://host:port` by every name that this server goes by. */
  readonly origins: () => ReadonlySet<string>
}

/**
 * Everything that can be asked of the server. Only the page's own files, which tell nothing, are given
 * without the token.
 */
export function routes(parts: Parts): Hono<Env> {
  const { supervisor, token, metricsToken, streams } = parts
  const changes = new ChangeReader()
  const app = new Hono<Env>()
  for (const middleware of strictHeaders()) app.use(middleware)
  app.use(fromHere(parts.origins))
  for (const [path, { type, body }] of parts.assets)
    app.get(path, context => context.body(body, 200, { 'Content-Type': type }))

  app.use('/metrics', withToken([token, metricsToken], parts.connections))
  app.get('/metrics', async context =>
    context.body(await parts.metrics.text(), 200, { 'Content-Type': parts.metrics.contentType }),
  )

  app.use('/api/*', withToken([token], parts.connections))
  app.get('/api/chart', context => context.json(parts.drawing))
  app.get('/api/events', context =>
    streams.open(context, async (stream, gone) => {
      const samples = parts.watcher.samples$.subscribe()
      await follow(stream, parts, context.req.header('last-event-id'), gone).finally(() =>
        samples.unsubscribe(),
      )
    }),
  )
  app.get('/api/tasks/:key', context =>
    withTask(context, supervisor, async task => context.json(await detailsOf(task, parts))),
  )
  app.get('/api/tasks/:key/history', context =>
    withTask(context, supervisor, async task => context.json(await supervisor.history(task.key))),
  )
  app.get('/api/tasks/:key/changes', context =>
    withTask(context, supervisor, async task => {
      const list = await changes.list(task)
      return list === null ? tooMany(context) : context.json(list)
    }),
  )
  app.get('/api/tasks/:key/changes/:id', context =>
    withTask(context, supervisor, async task => {
      const patches = await changes.patches(task, context.req.param('id'))
      if (patches === undefined) return refuse(context, 404, 'no list has told of such a change')
      return patches === null ? tooMany(context) : context.json(patches)
    }),
  )
  app.get('/api/tasks/:key/logs', context =>
    withTask(context, supervisor, task =>
      streams.open(context, (stream, gone) => followLog(stream, task, undefined, gone)),
    ),
  )
  app.get('/api/tasks/:key/logs/:stream{stdout|stderr}', context =>
    withTask(context, supervisor, task =>
      streams.open(context, (stream, gone) =>
        followLog(stream, task, context.req.param('stream') as 'stdout' | 'stderr', gone),
      ),
    ),
  )
  app.post('/api/tasks/:key/:way{stop|kill}', context =>
    withTask(context, supervisor, async task => {
      const options = await stopRequest(context)
      if ('refused' in options) return options.refused
      const end = context.req.param('way') === 'kill' ? task.forceStop() : task.shutdown(options)
      // Its end is told by the feed; what goes wrong stands in the task's row.
      end.catch(() => {})
      return context.json({ state: task.state }, 202)
    }),
  )
  // What there is, but not by this method.
  const paths = [
    ...parts.assets.keys(),
    '/metrics',
    '/api/chart',
    '/api/events',
    '/api/tasks/:key',
    '/api/tasks/:key/history',
    '/api/tasks/:key/changes',
    '/api/tasks/:key/changes/:id',
    '/api/tasks/:key/logs',
  ]
  const reads = [...paths, '/api/tasks/:key/logs/:stream{stdout|stderr}'].map(
    path => [path, 'GET, HEAD'] as const,
  )
  for (const [path, allow] of [...reads, ['/api/tasks/:key/:way{stop|kill}', 'POST'] as const])
    app.all(path, context => {
      context.header('Allow', allow)
      return refuse(context, 405, `takes ${allow}`)
    })
  app.notFound(context => refuse(context, 404, 'there is nothing here'))
  app.onError((error, context) =>
    error instanceof HoldfastError
      ? refuse(context, error.code === 'NOT_FOUND' ? 404 : 409, error.code)
      : refuse(context, 500, 'this should not have happened'),
  )
  return app
}

function tooMany(context: Context<Env>): Response {
  return refuse(context, 503, 'changes of other tasks are being read')
}

async function withTask(
  context: Context<Env>,
  { tasks }: Supervisor,
  use: (task: Executor) => Response | Promise<Response>,
): Promise<Response> {
  const task = tasks.get(context.req.param('key') ?? '')
  return task === undefined ? refuse(context, 404, 'there is no such task') : use(task)
}

async function detailsOf(task: Executor, { showArguments, watcher }: Parts) {
  const clean = (text: string | null): string | null => text && redacted(text, task.command.env)
  const enforcement = task.enforcement.map(({ requested, reason, hint, ...row }) => ({
    ...row,
    requested: clean(requested),
    reason: clean(reason),
    hint: clean(hint),
  }))
  const usage = task.context.outcome?.usage ?? null
  const end = await endOf(task, watcher.memoryPeak(task.key))
  const { workspace } = task.command
  const hasOverlay = typeof workspace === 'object' && workspace.overlay === true
  return { row: rowOf(task, showArguments), enforcement, usage, end, hasOverlay }
}
