import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { localhostCertificate } from '../support/clients/tls-authority.ts'
import { AgentApi } from './support/agent-api.ts'
import { driverBench } from './support/driver-bench.ts'
import { block, byBlock, byNode, LogsBlock } from './support/logs-block.ts'

describe("a job's logs block, asked of an agent over TLS", function () {
  this.timeout(120_000)
  const bench = driverBench('nomad-logs-tls', {}, false)
  const tasks = new LogsBlock(bench)
  const path = (name: string) => join(bench.directory, name)
  let api: AgentApi
  let strange: AgentApi

  before(async () => {
    writeFileSync(path('token'), 'a-token', { mode: 0o600 })
    mkdirSync(path('other'))
    const own = localhostCertificate(bench.directory)
    const ca = readFileSync(path('ca.pem'))
    tasks.listen()
    api = await AgentApi.listen({ tls: { ...own, ca, requestCert: true, rejectUnauthorized: true } })
    strange = await AgentApi.listen({ tls: localhostCertificate(path('other')) })
  })
  after(() => {
    api?.close()
    strange?.close()
  })
  beforeEach(() => {
    tasks.events.length = 0
    api.asked.length = 0
  })

  const inOrder = () => {
    return { ca_file: path('ca.pem'), cert_file: path('server.pem'), key_file: path('server.key') }
  }
  async function kept(agent: object, of = api): Promise<number[]> {
    of.knows(bench.allocation.id, block)
    await tasks.configure({
      address: `https://127.0.0.1:${of.port}`,
      token_file: path('token'),
      ...inOrder(),
      ...agent,
    })
    return tasks.kept()
  }

  it('is heeded where the certificates are in order', async () => {
    assert.deepEqual(await kept({}), byBlock)
    assert.equal(tasks.told, null)
  })

  it('is heeded by the name that the certificate is of', async () => {
    assert.deepEqual(await kept({ tls_server_name: 'localhost' }), byBlock)
    assert.equal(tasks.told, null)
  })

  for (const [what, agent, option] of [
    // Whether its reason or the end of the connection comes first is OpenSSL's affair.
    [
      'an agent that wants a certificate',
      { cert_file: null, key_file: null },
      /^agent\.(cert_file|address)$/,
    ],
    ['a name of another certificate', { tls_server_name: 'client.global.nomad' }, /^agent\.tls_server_name$/],
    ['an authority that nobody trusts', { ca_file: null }, /^agent\.ca_file$/],
    ['a certificate that is none', { cert_file: 'token' }, /^agent\.cert_file$/],
    ['a key of another certificate', { key_file: 'other/server.key' }, /^agent\.key_file$/],
  ] as const)
    it(`is not had of ${what}: an event names the option`, async () => {
      const given = Object.entries(agent).map(([name, value]: [string, string | null]) => [
        name,
        value !== null && name.endsWith('_file') ? path(value) : value,
      ])
      assert.deepEqual(await kept(Object.fromEntries(given) as object), byNode)
      assert.match(tasks.told ?? '', option)
      assert.deepEqual(api.asked, [])
    })

  it('is not had of another in the place of the agent, which gets no token', async () => {
    assert.deepEqual(await kept({}, strange), byNode)
    assert.equal(tasks.told, 'agent.ca_file')
    assert.deepEqual(strange.asked, [])
  })
})
