import { strict as assert } from 'node:assert'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import parsePrometheusTextFormat from 'parse-prometheus-text-format'
import type { End } from '../../src/inspector/end.ts'
import { type Inspector, type InspectorOptions, inspector } from '../../src/inspector/index.ts'
import type { LogPiece } from '../../src/inspector/log-feed.ts'
import { eventually } from '../support/eventually.ts'
import { untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { ask, listen, type Message, open } from './client.ts'

const json = { 'Content-Type': 'application/json' }

describe('the inspector as a server', () => {
  before(function () {
    requires(this, 'page')
  })

  it('serves its page without the token, and nothing else', () =>
    inspected(async page => {
      for (const path of ['/', '/app.js', '/app.css', '/icon.svg']) {
        const answer = await ask(page, { path, token: null })
        assert.equal(answer.status, 200, path)
        assert.doesNotMatch(answer.body, /https?:\/\/(?!www\.w3\.org)/, `${path} names another server`)
      }
      for (const path of ['/api/events', '/api/chart', '/api/tasks/x', '/metrics', '/api/', '/api/nothing'])
        for (const token of [
          null,
          '',
          'wrong',
          page.token.slice(1),
          `${page.token}x`,
          page.token.toUpperCase(),
        ])
          assert.equal((await ask(page, { path, token })).status, 401, `${path} with ${token}`)
      const { status } = await ask(page, { path: `/api/chart?token=${page.token}`, token: null })
      assert.equal(status, 401, 'the token is no part of an address')
    }))

  it('answers to its own names only, so that no name can be rebound to it', () =>
    inspected(async page => {
      for (const host of [`127.0.0.1:${page.port}`, `localhost:${page.port}`, `LOCALHOST:${page.port}`])
        assert.equal((await ask(page, { headers: { Host: host } })).status, 200, host)
      const foreign = [
        'evil.example',
        `evil.example:${page.port}`,
        'localhost',
        '127.0.0.1:1',
        `127.0.0.1.evil.example:${page.port}`,
      ]
      for (const path of ['/', '/api/chart', '/metrics'])
        for (const host of foreign)
          assert.equal((await ask(page, { path, headers: { Host: host } })).status, 403, host)
      // HTTP/1.0 need not name anybody.
      const unnamed = await new Promise<string>((resolve, reject) => {
        let text = ''
        const socket = connect(page.port, page.host, () => socket.write('GET / HTTP/1.0\r\n\r\n'))
        socket.on('data', chunk => (text += String(chunk))).on('error', reject)
        socket.on('close', () => resolve(text))
      })
      assert.match(unnamed, /^HTTP\/1\.1 40[03] /)
    }))

  it('refuses what comes from another site, whatever it knows, and allows no site anything', () =>
    inspected(async page => {
      const own = `http://127.0.0.1:${page.port}`
      const foreign: Record<string, string>[] = [
        { Origin: 'https://evil.example' },
        { Origin: 'null' },
        { Origin: `http://localhost:${page.port}` },
        { Origin: `https://127.0.0.1:${page.port}` },
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site' },
      ]
      for (const headers of foreign) {
        for (const path of ['/', '/api/chart', '/app.js'])
          assert.equal((await ask(page, { path, headers })).status, 403, JSON.stringify(headers))
        const stop = await ask(page, {
          method: 'POST',
          path: '/api/tasks/x/kill',
          body: '{}',
          headers: { ...headers, ...json },
        })
        assert.equal(stop.status, 403)
      }
      const preflight = await ask(page, {
        method: 'OPTIONS',
        path: '/api/chart',
        headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'GET' },
      })
      assert.equal(preflight.status, 403)
      const fine = await ask(page, {
        path: '/api/chart',
        headers: { Origin: own, 'Sec-Fetch-Site': 'same-origin' },
      })
      assert.equal(fine.status, 200)
      for (const { headers } of [preflight, fine])
        assert.deepEqual(
          Object.keys(headers).filter(name => name.startsWith('access-control')),
          [],
        )
      assert.equal(fine.headers['set-cookie'], undefined)
    }))

  it('sends strict headers with whatever it answers', () =>
    inspected(async page => {
      for (const asking of [
        {},
        { path: '/api/chart' },
        { path: '/nothing' },
        { path: '/api/chart', token: null },
        { headers: { Host: 'evil.example' } },
        { method: 'POST' },
      ]) {
        const { headers } = await ask(page, asking)
        const policy = String(headers['content-security-policy'])
        assert.match(policy, /default-src 'none'/)
        assert.match(policy, /script-src 'self'(?:;|$)/)
        assert.match(policy, /style-src 'self'(?:;|$)/)
        assert.match(policy, /frame-ancestors 'none'/)
        assert.match(policy, /require-trusted-types-for 'script'/)
        assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/)
        assert.equal(headers['x-content-type-options'], 'nosniff')
        assert.equal(headers['referrer-policy'], 'no-referrer')
        assert.equal(headers['x-frame-options'], 'DENY')
        assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
        assert.equal(headers['cache-control'], 'no-store')
      }
    }))

  it('gives no other file, and takes no other method, type or length', () =>
    inspected(async (page, bench) => {
      const task = bench.command('sleep', '1000')
      await task.start()
      const paths = [
        '/../package.json',
        '/..%2fpackage.json',
        '/%2e%2e/%2e%2e/etc/passwd',
        '//etc/passwd',
        '/app.js/../../package.json',
        '/.env',
        '/index.html%00',
        '/api/tasks/../../etc',
        '/api/tasks/%2e%2e%2fx/history',
        `/api/tasks/${task.key}/logs/..%2f..%2ftask.json`,
        '/api/tasks/__proto__',
        '/api/tasks/constructor/history',
      ]
      for (const path of paths) {
        const { status, body } = await ask(page, { path })
        assert.ok(status === 404 || status === 400, `${path}: ${status}`)
        assert.doesNotMatch(body, /root:|dependencies|holdfast\.task/)
      }
      for (const [method, path] of [
        ['POST', '/'],
        ['PUT', '/api/chart'],
        ['DELETE', `/api/tasks/${task.key}`],
        ['GET', `/api/tasks/${task.key}/kill`],
        ['PATCH', `/api/tasks/${task.key}/stop`],
        ['POST', '/metrics'],
      ] as const) {
        const { status, headers } = await ask(page, { method, path })
        assert.equal(status, 405, `${method} ${path}`)
        assert.match(headers.allow ?? '', /^(?:GET, HEAD|POST)$/)
      }
      const path = `/api/tasks/${task.key}/stop`
      const bodies: [number, Record<string, string>, string][] = [
        [415, {}, '{}'],
        [415, { 'Content-Type': 'text/plain' }, '{}'],
        [415, { 'Content-Type': 'application/x-www-form-urlencoded' }, 'graceMs=1'],
        [400, json, ''],
        [400, json, '[]'],
        [400, json, '{"graceMs":-1}'],
        [400, json, '{"graceMs":"1"}'],
        [400, json, '{"signal":"SIGKILL"}'],
        [413, json, `{"graceMs":${' '.repeat(100_000)}1}`],
      ]
      for (const [status, headers, body] of bodies)
        assert.equal(
          (await ask(page, { method: 'POST', path, headers, body })).status,
          status,
          body.slice(0, 40),
        )
      assert.equal(task.state, 'running')
    }))

  it('stops and kills on request, and its own end touches nothing', () =>
    inspected(async (page, bench) => {
      const [polite, deaf, other] = [
        bench.command('sleep', '1000'),
        bench.shell('trap "" TERM; echo ready; while :; do sleep 0.05; done'),
        bench.command('sleep', '1000'),
      ]
      await Promise.all([polite, deaf, other].map(task => task.start()))
      // Asked before the trap is set, it would end at once.
      await untilOutput(deaf, 'ready')
      const post = (key: string, way: string, body = '{}') =>
        ask(page, { method: 'POST', path: `/api/tasks/${key}/${way}`, headers: json, body })
      assert.equal((await post(polite.key, 'stop')).status, 202)
      assert.equal((await post(deaf.key, 'stop', '{"graceMs":60000}')).status, 202)
      assert.equal((await post(deaf.key, 'kill')).status, 202)
      assert.equal((await polite.wait()).cause, 'shutdown')
      assert.equal((await deaf.wait()).cause, 'forced')
      const endOf = async ({ key }: { readonly key: string }) =>
        (JSON.parse((await ask(page, { path: `/api/tasks/${key}` })).body) as { end: End | null }).end
      const { memoryPeakBytes: _, ...end } = (await endOf(polite)) ?? assert.fail('it has ended')
      const { signal, coreDumped, limitsHit, logsComplete } = await polite.wait()
      assert.deepEqual(end, { signal, coreDumped, limitsHit, logsComplete })
      assert.equal(end.signal, 'SIGTERM')
      assert.equal(await endOf(other), null)
      assert.equal((await post('00000000000000', 'kill')).status, 404)
      assert.equal((await post(polite.key, 'kill')).status, 202, 'of one that has ended, as kill itself')
      await page.close()
      assert.equal(other.state, 'running')
      assert.equal((await other.usage()).at instanceof Date, true)
    }))

  it('goes on where a connection broke, and tells everything anew where that is not possible', () =>
    inspected(async (page, bench) => {
      const task = bench.command('sleep', '1000')
      const [first] = await listen(page, '/api/events', messages => messages.length > 0)
      assert.equal(first?.event, 'snapshot')
      assert.deepEqual(first.data, { tasks: [] })

      // While nobody is connected.
      await task.start()
      const changes = (messages: readonly Message[]) => messages.filter(({ event }) => event === 'change')
      const missed = await listen(page, '/api/events', messages => changes(messages).length === 2, {
        'Last-Event-ID': first.id ?? '',
      })
      assert.ok(missed.every(({ event }) => event !== 'snapshot'))
      assert.deepEqual(
        changes(missed).map(({ data }) => (data as { entry: { to: string } }).entry.to),
        ['limited', 'running'],
      )
      const middle = missed.find(({ event }) => event === 'change')?.id ?? ''
      const [next] = await listen(page, '/api/events', messages => messages.length > 0, {
        'Last-Event-ID': middle,
      })
      assert.notEqual(next?.event, 'snapshot')
      assert.equal(Number(next?.id?.split('-')[1]), Number(middle.split('-')[1]) + 1)

      for (const unknown of [
        '',
        'nonsense',
        '000000000000-1',
        middle.replace(/\d+$/, '999999'),
        `${middle}x`,
      ]) {
        const [answer] = await listen(page, '/api/events', messages => messages.length > 0, {
          'Last-Event-ID': unknown,
        })
        assert.equal(answer?.event, 'snapshot', unknown)
        assert.equal((answer.data as { tasks: unknown[] }).tasks.length, 1)
      }
    }))

  it('tells no value of the environment, and no argument unless it was told to', () => {
    const secret = 'hunter2-hunter2'
    const look = (options: Partial<InspectorOptions>, expected: boolean) =>
      inspected(async (page, bench) => {
        const task = bench.command('/bin/sh', '-c', 'exec sleep 1000', 'argument-secret')
        task.command.env = { PASSWORD: secret, BASE: '/nonexistent-base' }
        task.command.labels = { app: 'web', with: `a-${secret}` }
        await task.start()
        const missing = bench.command('${BASE}/program')
        missing.command.env = { BASE: '/nonexistent-base' }
        missing.command.interpolate = true
        await assert.rejects(missing.start())
        const paths = [task, missing].flatMap(({ key }) => [`/api/tasks/${key}`, `/api/tasks/${key}/history`])
        const answers = await Promise.all(paths.map(path => ask(page, { path })))
        const told = [
          ...answers.map(({ body }) => body),
          JSON.stringify(await listen(page, '/api/events', messages => messages.length > 0)),
          (await ask(page, { path: '/metrics' })).body,
        ].join('\n')
        assert.ok(answers.every(({ status }) => status === 200))
        assert.doesNotMatch(told, new RegExp(`${secret}|PASSWORD|/nonexistent-base`))
        assert.equal(told.includes('argument-secret'), expected)
        assert.match(told, /ENOENT/)
        assert.match(told, /"labels":\{"app":"web","with":"a-\*\*\*"\}/)
      }, options)
    return look({}, false).then(() => look({ showArguments: true }, true))
  })

  it('streams logs, and lets a reader that reads nothing cost nothing', function () {
    this.timeout(60_000)
    return inspected(async (page, bench) => {
      const task = bench.shell(
        'echo begin; echo problem >&2; head -c 30000000 /dev/zero | tr "\\\\0" x; echo; echo end; sleep 1000',
      )
      await task.start()
      const path = `/api/tasks/${task.key}/logs/stdout`
      const text = (messages: readonly Message[]) =>
        piecesIn(messages)
          .map(([, , piece]) => piece)
          .join('')
      // Not of all there is each time: of 30 MB that would be gigabytes, for the collector to take away
      // before the memory is looked at.
      const endsWith = (messages: readonly Message[], end: string) => text(messages.slice(-8)).endsWith(end)
      const stalled = await new Promise<{ destroy(): void }>(resolve => {
        const asked = open(page, { path }, response => {
          response.pause()
          resolve(asked)
        })
      })
      const heard = await listen(page, path, messages => endsWith(messages, 'end\n'))
      const skipped = heard.reduce(
        (sum, { event, data }) => sum + (event === 'skipped' ? (data as { bytes: number }).bytes : 0),
        0,
      )
      assert.ok(text(heard).length + skipped > 4)
      const errors = await listen(page, `/api/tasks/${task.key}/logs/stderr`, messages =>
        text(messages).endsWith('\n'),
      )
      assert.equal(text(errors), 'problem\n')
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      assert.ok(arrayBuffers + heapUsed < 400e6)
      stalled.destroy()
      await task.forceStop()
      const whole = await listen(
        page,
        `/api/tasks/${task.key}/logs/stderr`,
        messages => messages.at(-1)?.event === 'end',
      )
      assert.equal(text(whole), 'problem\n')
    })
  })

  it('streams both logs in order, with the times at which they came', () =>
    inspected(async (page, bench) => {
      // Each waits until what was before it must have been taken: two pipes have no order.
      const task = bench.shell('echo out; sleep 0.1; echo err >&2; sleep 0.1; echo out again')
      await task.start()
      const { startedAt, exitedAt } = await task.wait()
      const path = `/api/tasks/${task.key}/logs`
      const both = piecesIn(await listen(page, path, messages => messages.at(-1)?.event === 'end'))
      assert.deepEqual(
        both.map(([stream, , text]) => [stream, text]),
        [
          ['stdout', 'out\n'],
          ['stderr', 'err\n'],
          ['stdout', 'out again\n'],
        ],
      )
      const times = both.map(([, at]) => at ?? 0)
      assert.deepEqual(times, [...times].sort())
      assert.ok((times[0] ?? 0) >= (startedAt?.getTime() ?? 0) - 1000)
      assert.ok((times[2] ?? 0) <= (exitedAt?.getTime() ?? 0) + 1000)
    }))

  it('has room for so many readers and no more, and gets it back', () =>
    inspected(async page => {
      const readers = await Promise.all(
        Array.from(
          { length: 64 },
          () =>
            new Promise<{ destroy(): void }>(resolve => {
              const asked = open(page, { path: '/api/events' }, response => {
                response.resume().on('error', () => {})
                resolve(asked)
              })
              asked.on('error', () => {})
            }),
        ),
      )
      assert.equal((await ask(page, { path: '/api/events' })).status, 503)
      for (const reader of readers) reader.destroy()
      await eventually(async () => {
        await listen(page, '/api/events', messages => messages.length > 0)
      })
    }))

  it('cuts off readers that take nothing for too long, and no others, and has their room back', () =>
    inspected(
      async (page, bench) => {
        const line = 'head -c 100000 /dev/zero | tr "\\0" x; echo'
        const task = bench.shell(
          `while :; do ${line}; [ -e $HOLDFAST_TASK_DIR/go ] && echo late; sleep 0.03; done`,
        )
        task.command.logs = { maxBytes: 1 << 20, maxFiles: 3 }
        await task.start()
        const path = `/api/tasks/${task.key}/logs/stdout`
        const idle = await Promise.all(Array.from({ length: 61 }, () => reader(page, '/api/events')))
        const patient = await reader(page, path)
        const stalled = await Promise.all([reader(page, path), reader(page, path)])
        for (const { response } of stalled) response.pause()
        assert.equal((await reader(page, '/api/events')).response.statusCode, 503)
        // One room for each of the two.
        for (const begin = Date.now(); idle.length < 63;) {
          const more = await reader(page, '/api/events')
          if (more.response.statusCode === 200) idle.push(more)
          assert.ok(Date.now() < begin + 40_000, `${idle.length - 61} were cut off`)
          await sleep(100)
        }
        for (const { response, ended } of stalled) {
          response.resume()
          assert.match(await ended, /aborted/)
        }
        writeFileSync(join(bench.stateDir, 'allocs', task.key, 'sh/local/go'), '')
        await patient.heard('late')
        for (const { response } of [...idle, patient]) assert.equal(response.destroyed, false)
      },
      // More than a busy machine may keep this program, which is server and readers, from its work.
      { stallMs: 3000 },
    ))

  it('gives metrics to the page and to who has their own token, which opens nothing else', () =>
    inspected(
      async page => {
        assert.equal(page.metricsToken, 'prometheus-has-this')
        const { status, headers, body } = await ask(page, { path: '/metrics', token: page.metricsToken })
        assert.equal(status, 200)
        assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
        assert.ok(parsePrometheusTextFormat(body).some(({ name }) => name === 'holdfast_tasks'))
        for (const path of ['/api/events', '/api/chart'])
          assert.equal((await ask(page, { path, token: page.metricsToken })).status, 401)
      },
      { metricsToken: 'prometheus-has-this' },
    ))

  it('refuses options by name, a port that is taken, and an address that is not loopback', () =>
    inspected(async (page, bench) => {
      const { supervisor } = bench
      const bad: [string, object][] = [
        ['supervisor', { supervisor: {} }],
        ['port', { supervisor, port: 70_000 }],
        ['port', { supervisor, port: '80' }],
        ['host', { supervisor, host: '0.0.0.0' }],
        ['host', { supervisor, host: '10.0.0.1' }],
        ['host', { supervisor, host: '127.0.0.1.evil.example' }],
        ['metricsToken', { supervisor, metricsToken: 'short' }],
        ['showArguments', { supervisor, showArguments: 1 }],
        ['stallMs', { supervisor, stallMs: 0 }],
      ]
      for (const [name, options] of bad)
        await refuses(inspector(options as InspectorOptions), {
          code: 'INVALID_ARGUMENT',
          message: new RegExp(`option ${name}: got`),
        })
      await refuses(inspector({ supervisor, port: page.port }), { code: 'UNSUPPORTED', errno: 'EADDRINUSE' })
      const another = await inspector({ supervisor })
      assert.notEqual(another.token, page.token)
      assert.match(another.url, new RegExp(`^http://127\\.0\\.0\\.1:${another.port}/#token=[\\w-]{43}$`))
      await another.close()
      await another.close()
    }))
})

function piecesIn(messages: readonly Message[]): LogPiece[] {
  return messages.flatMap(({ event, data }) =>
    event === 'output' ? (data as { pieces: LogPiece[] }).pieces : [],
  )
}

async function inspected(
  body: (page: Inspector, bench: Workbench) => Promise<void>,
  options: Partial<InspectorOptions> = {},
): Promise<void> {
  await withWorkbench('basic', async bench => {
    const page = await inspector({ supervisor: bench.supervisor, ...options })
    try {
      await body(page, bench)
    } finally {
      await page.close()
    }
  })
}

type Reader = {
  readonly response: IncomingMessage
  /** How the answer has ended. */
  readonly ended: Promise<string>
  heard(text: string): Promise<void>
}

/** Takes whatever comes until it is paused. */
function reader(page: Inspector, path: string): Promise<Reader> {
  return new Promise((resolve, reject) => {
    open(page, { path }, response => {
      const ended = new Promise<string>(told => {
        response.on('error', error => told(String(error))).on('end', () => told('properly'))
      })
      response.setEncoding('utf8').resume()
      const heard = (text: string): Promise<void> =>
        new Promise(told => response.on('data', (chunk: string) => chunk.includes(text) && told()))
      resolve({ response, ended, heard })
    }).on('error', reject)
  })
}
