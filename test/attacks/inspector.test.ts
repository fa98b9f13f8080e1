import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { createServer, get, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspector } from '../../src/inspector/index.ts'
import { Connections } from '../../src/inspector/connections.ts'
import { eventually } from '../support/eventually.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { ask, listen } from '../inspector/client.ts'

const task = { uid: 65_534, gid: 65_534 }
/** The default: who is answered only then has waited until the attacker's time was up. */
const unprovenMs = 15_000
/**
 * Holds 600 connections, each with the beginning of a request of which a header comes now and then; attacks
 * when half of them were made, which is more than a server takes.
 */
const halfRequests = `
  const { connect } = require('node:net')
  const port = Number(process.argv[1])
  let made = 0
  const open = () => {
    const socket = connect(port, '127.0.0.1', () => ++made === 300 && console.log('attacking'))
    socket.on('connect', () => socket.write('GET / HTTP/1.1\\r\\nHost: localhost:' + port + '\\r\\n'))
    const more = setInterval(() => socket.write('X-More: 1\\r\\n'), 1000)
    socket.on('error', () => {}).on('close', () => { clearInterval(more); setTimeout(open, 200) })
  }
  for (let count = 0; count < 600; count++) open()
`

describe('attack: half requests keep the inspector from answering', function () {
  this.timeout(180_000)
  before(function () {
    requires(this, 'page', 'linux', 'root')
  })

  it('another user is answered all the while, and a reader that is there stays', () =>
    withWorkbench('basic', async ({ supervisor }) => {
      const page = await inspector({ supervisor })
      const reader = listen(page, '/api/events', () => false)
      let broken = false
      reader.catch(() => (broken = true))
      try {
        await attacked(page.port, async () => {
          for (let tries = 0; tries < 10; tries++) {
            const begin = performance.now()
            assert.equal((await ask(page, { path: '/app.js', token: null })).status, 200)
            assert.equal((await ask(page, { path: '/api/chart' })).status, 200)
            assert.ok(performance.now() - begin < unprovenMs, 'answered late')
            await sleep(100)
          }
          assert.equal(broken, false)
        })
      } finally {
        await page.close()
      }
    }))

  it('control: a server with a number of connections alone answers nobody', async () => {
    const server = createServer((_, response) => response.end('answer'))
    server.maxConnections = 256
    await serving(server, port =>
      attacked(port, async () => {
        const answers = await Promise.all([1, 2, 3].map(() => answered(port)))
        assert.deepEqual(answers, [false, false, false])
      }),
    )
  })

  it('a connection that shows no token ends after a time, whatever it sends; one that has shown it stays', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/token') connections.prove(request.socket)
      response.write('some')
    })
    const connections = new Connections(server, { unprovenMs: 2000 })
    await serving(server, async port => {
      const ends = ['/token', '/'].map(path => {
        const state = { ended: false }
        get({ port, path, agent: false }, response => {
          response.resume().on('error', () => {})
          response.on('close', () => (state.ended = true))
        }).on('error', () => {})
        return state
      })
      await eventually(() => assert.equal(ends[1]?.ended, true))
      assert.equal(ends[0]?.ended, false)
    })
  })
})

async function attacked(port: number, body: () => Promise<void>): Promise<void> {
  const attacker = spawn(process.execPath, ['-e', halfRequests, String(port)], { cwd: '/', env: {}, ...task })
  try {
    await new Promise((resolve, reject) => {
      attacker.stdout.once('data', resolve)
      attacker.once('exit', () => reject(new Error('the attacker has ended')))
      attacker.once('error', reject)
    })
    await body()
  } finally {
    attacker.kill('SIGKILL')
  }
}

async function serving(server: Server, body: (port: number) => Promise<void>): Promise<void> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    await body((server.address() as AddressInfo).port)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

function answered(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const asked = get({ port, agent: false, timeout: 2000 }, response => {
      response.resume()
      resolve(true)
    })
    asked.on('timeout', () => asked.destroy()).on('error', () => resolve(false))
  })
}
