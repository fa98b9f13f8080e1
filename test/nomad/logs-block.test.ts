import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { AgentApi } from './support/agent-api.ts'
import { Allocation } from './support/allocation.ts'
import { driverBench } from './support/driver-bench.ts'
import { block, byBlock, byNode, LogsBlock } from './support/logs-block.ts'
import { until } from './support/until.ts'

const token = '5fb0ff28-4bd7-4a3c-9d58-4a1ad5b2f7c1'

/** With `collect_logs` and `agent { }` in the plugin's configuration. */
describe("a job's logs block", function () {
  this.timeout(120_000)
  const bench = driverBench('nomad-logs-block', {}, false)
  const tasks = new LogsBlock(bench)
  const path = (name: string) => join(bench.directory, name)
  let api: AgentApi

  before(async () => {
    writeFileSync(path('token'), `${token}\n`, { mode: 0o600 })
    execFileSync('mkfifo', [path('fifo')])
    tasks.listen()
    api = await AgentApi.listen()
  })
  beforeEach(() => {
    tasks.events.length = 0
    api.asked.length = 0
    api.knows(bench.allocation.id, block)
  })
  after(() => api?.close())

  const at = () => `http://127.0.0.1:${api.port}`

  describe('is asked of the agent, and heeded', () => {
    afterEach(() => assert.equal(tasks.told, null))

    it('by an address and a token', async () => {
      await tasks.configure({ address: at(), token_file: path('token') })
      assert.deepEqual(await tasks.kept(), byBlock)
      const [{ url, headers } = { url: '', headers: {} }, ...more] = api.asked
      assert.equal(url, `/v1/allocation/${bench.allocation.id}?stale`)
      assert.equal(headers['x-nomad-token'], token)
      assert.deepEqual(more, [])
    })

    it('over a unix socket, without a token', async () => {
      const local = await AgentApi.listen({ path: path('s') })
      try {
        local.knows(bench.allocation.id, block)
        await tasks.configure({ address: `unix://${path('s')}` })
        assert.deepEqual(await tasks.kept(), byBlock)
        assert.equal(local.asked[0]?.headers['x-nomad-token'], undefined)
      } finally {
        local.close()
      }
    })

    it('where config.logs leaves some of it open', async () => {
      await tasks.configure({ address: at() })
      assert.deepEqual(await tasks.kept({ max_files: 3 }), [3, 4, 5])
      assert.equal(api.asked.length, 1)
    })

    it('as Nomad has it where the job says nothing', async () => {
      await tasks.configure({ address: at() })
      api.knows(bench.allocation.id, null)
      assert.deepEqual(await tasks.kept(), [0])
    })

    it('by what it takes together, where it is fewer files than are kept here', async () => {
      await tasks.configure({ address: at() })
      api.knows(bench.allocation.id, { MaxFiles: 1, MaxFileSizeMB: 2 })
      assert.deepEqual(await tasks.kept(), byNode)
    })
  })

  describe('is asked of nobody', () => {
    afterEach(() => assert.deepEqual(api.asked, []))

    it('where config.logs says all of it', async () => {
      await tasks.configure({ address: at() })
      assert.deepEqual(await tasks.kept({ max_files: 3, max_file_size: 2 }), [0, 1, 2])
    })

    it('where the job has turned its logs off', async () => {
      await tasks.configure({ address: at() })
      assert.deepEqual(await tasks.kept({}, { stdout_path: '/dev/null', stderr_path: '/dev/null' }), [])
    })

    it('without agent { }', async () => {
      await tasks.configure(null)
      assert.deepEqual(await tasks.kept(), byNode)
    })

    it('where the client collects', async () => {
      const collected = new Allocation(bench.directory)
      await bench.configure({ agent: { address: at() } })
      await bench.start(collected.shell('exit 0'))
      await bench.destroyStarted()
      collected.close()
    })
  })

  describe('that cannot be had leaves the task the sizes of the node, and an event that says why', () => {
    const knows = (logs: object, more: object = {}) => api.knows(bench.allocation.id, logs, more)
    const elsewhere = () => {
      api.answer = (_, response) => response.writeHead(302, { location: `${at()}/elsewhere` }).end()
    }
    const unendingly = () => {
      api.answer = (_, response) => void response.write('{')
    }

    for (const [what, option, answers] of [
      ['the agent refuses the token', 'token_file', () => api.says('ACL token not found', 403)],
      ['the token may not read the job', 'token_file', () => api.says('Unknown allocation "x"', 500)],
      ['there is no such allocation', 'token_file', () => api.says('alloc not found', 404)],
      ['there is no leader', 'address', () => api.says('No cluster leader', 500)],
      ['it is told to look elsewhere', 'address', elsewhere],
      ['the answer is no JSON', 'address', () => api.says('<html>')],
      ['the answer is nothing', 'address', () => api.says('')],
      ['the answer is JSON of nothing', 'address', () => api.says('null')],
      ['the answer is deep', 'address', () => api.says('['.repeat(1_000_000))],
      ['the answer is of another', 'address', () => api.knows('another', block)],
      ['the task is not in its group', 'address', () => knows(block, { TaskGroup: 'h' })],
      ['a number is text', 'address', () => knows({ ...block, MaxFiles: '4' })],
      ['a number is missing', 'address', () => knows({ MaxFiles: 4 })],
      ['a number is none of files', 'address', () => knows({ ...block, MaxFiles: 0 })],
      ['a number is a fraction', 'address', () => knows({ ...block, MaxFileSizeMB: 0.5 })],
      ['a number is beyond all', 'address', () => knows({ ...block, MaxFileSizeMB: 1e300 })],
    ] as const)
      it(`where ${what}`, async () => {
        answers()
        await tasks.configure({ address: at(), token_file: path('token') })
        assert.deepEqual(await tasks.kept(), byNode)
        assert.equal(tasks.told, `agent.${option}`)
        assert.equal(api.asked.length, 1)
      })

    for (const [what, answers] of [
      ['the agent never answers', () => (api.answer = () => {})],
      ['the answer never ends', unendingly],
    ] as const)
      it(`where ${what}`, async () => {
        answers()
        await tasks.configure({ address: at(), timeout: 1 })
        assert.deepEqual(await tasks.kept(), byNode)
        assert.equal(tasks.told, 'agent.address')
      })

    it('where the agent wants a token, and none is named', async () => {
      api.says('Permission denied', 403)
      await tasks.configure({ address: at() })
      assert.deepEqual(await tasks.kept(), byNode)
      assert.equal(tasks.told, 'agent.token_file')
    })

    for (const [what, option, other] of [
      ['nobody listens', 'address', () => ({ address: 'http://127.0.0.1:1' })],
      ['nobody listens at the socket', 'address', () => ({ address: `unix://${path('none')}` })],
      ['there is no token', 'token_file', () => ({ token_file: path('none') })],
      ['the token is a FIFO', 'token_file', () => ({ token_file: path('fifo') })],
      ['the token is endless', 'token_file', () => ({ token_file: '/dev/zero' })],
      ['the token is no word', 'token_file', () => ({ token_file: '/etc/passwd' })],
    ] as const)
      it(`where ${what}`, async () => {
        await tasks.configure({ address: at(), ...other() })
        assert.deepEqual(await tasks.kept(), byNode)
        assert.equal(tasks.told, `agent.${option}`)
        assert.deepEqual(api.asked, [])
      })

    it('where the answer is more than any allocation, of which no more is read', async () => {
      let closed: Promise<unknown> = Promise.resolve()
      api.answer = (_request, response) => {
        closed = once(response, 'close')
        const fill = () => {
          while (response.write('['.repeat(65_536)));
        }
        response.on('drain', fill)
        fill()
      }
      await tasks.configure({ address: at() })
      assert.deepEqual(await tasks.kept(), byNode)
      assert.equal(tasks.told, 'agent.address')
      await closed
    })

    for (const [what, words] of [
      ['does not speak HTTP', 'SSH-2.0-OpenSSH\r\n'],
      [
        'speaks another protocol',
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      ],
      ['breaks off', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{'],
      ['says nothing and goes', ''],
    ] as const)
      it(`where what is there ${what}`, async () => {
        const server = createServer(socket => {
          socket.on('error', () => {})
          socket.once('data', () => socket.end(words))
        }).listen(0, '127.0.0.1')
        await once(server, 'listening')
        const { port } = server.address() as AddressInfo
        await tasks.configure({ address: `http://127.0.0.1:${port}`, timeout: 10 })
        assert.deepEqual(await tasks.kept(), byNode)
        assert.equal(tasks.told, 'agent.address')
        server.close()
      })
  })

  it('is asked with a token that is in no log, event or record, also when the answer has it', async () => {
    api.says(`Unknown allocation ${token}`, 500)
    await tasks.configure({ address: at(), token_file: path('token') })
    await tasks.kept()
    assert.equal(api.asked[0]?.headers['x-nomad-token'], token)
    assert.equal(tasks.told, 'agent.token_file')
    await until('it is in the log', () => bench.host.log.includes('config.agent.token_file'))
    const records = readdirSync(bench.stateDir, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    assert.ok(records.some(text => text.includes(bench.allocation.id)))
    const said = [...records, bench.host.log, JSON.stringify(tasks.events)]
    assert.deepEqual(
      said.filter(text => text.includes(token)),
      [],
    )
  })
})
