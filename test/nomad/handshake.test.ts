import assert from 'node:assert/strict'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { cookie, handshakeLine, refusal } from '../../src/nomad/plumbing/handshake.ts'
import type { Message } from '../../src/nomad/wire/codec.ts'
import { PluginHost, startPlugin } from './support/plugin-host.ts'

const asNomad = { [cookie.name]: cookie.value, PLUGIN_PROTOCOL_VERSIONS: '2' }

describe('the handshake with an agent', function () {
  this.timeout(60_000)

  it('is refused to whoever is no agent, in words for people', async () => {
    const child = startPlugin({})
    let said = ''
    child.stderr.on('data', chunk => (said += String(chunk)))
    // Not at its exit: what it has said may still be in the pipe.
    const [code] = (await once(child, 'close')) as [number]
    assert.equal(code, 1)
    assert.match(said, /Nomad starts it/)
  })

  it('is refused where the versions differ, and where TLS is asked for', () => {
    assert.equal(refusal(asNomad), null)
    assert.equal(refusal({ ...asNomad, PLUGIN_PROTOCOL_VERSIONS: '1,2,3' }), null)
    assert.match(refusal({ ...asNomad, PLUGIN_PROTOCOL_VERSIONS: '3' }) ?? '', /protocol 3, this driver 2/)
    assert.match(refusal({ ...asNomad, PLUGIN_CLIENT_CERT: 'PEM' }) ?? '', /TLS/)
  })

  it('has six fields, and a seventh only for those who ask', () => {
    assert.equal(handshakeLine('/tmp/s', {}), '1|2|unix|/tmp/s|grpc|\n')
    assert.equal(handshakeLine('/tmp/s', { PLUGIN_MULTIPLEX_GRPC: 'true' }), '1|2|unix|/tmp/s|grpc||false\n')
  })

  it('opens a socket for our own user alone, behind which the plugin says what it is, and nothing of its start is on disk', async () => {
    const host = await PluginHost.launch()
    try {
      assert.equal(statSync(host.socket).mode & 0o777, 0o600)
      const info = await host.client.call('base', 'PluginInfo')
      assert.deepEqual([info.type, info.name, info.plugin_api_versions], [2, 'holdfast', ['v0.1.0']])
      const { spec } = await host.client.call('base', 'ConfigSchema')
      assert.ok((spec as Message).object)
      const { status } = await host.client.call('health', 'Check', { service: 'plugin' })
      assert.equal(status, 1)
      // As an agent that only has the configuration checked: no nomad_config, twice, then the end.
      await host.client.call('base', 'SetConfig', {})
      await host.client.call('base', 'SetConfig', {})
      const exit = once(host.process, 'exit')
      await host.client.call('controller', 'Shutdown')
      assert.deepEqual(await exit, [0, null])
    } finally {
      await host.kill()
    }
  })

  it('refuses a configuration by the name of the attribute', async () => {
    const host = await PluginHost.launch()
    try {
      await assert.rejects(host.configure({ state_dir: 'relative' }), {
        details: 'plugin config.state_dir: got "relative", takes an absolute path',
      })
      await assert.rejects(host.configure({ nonsense: true }), {
        details: /plugin config\.nonsense: no attribute/,
      })
    } finally {
      await host.kill()
    }
  })

  it('is followed by a fingerprint within the second', async () => {
    const host = await PluginHost.launch()
    try {
      await host.configure({})
      const stream = host.client.stream('Fingerprint')
      const [first] = (await once(stream, 'data')) as [Message]
      assert.ok([0, 1, 2].includes(Number(first.health)))
      if (first.health === 0) return
      const attributes = first.attributes as Record<string, Message>
      assert.ok(attributes['driver.holdfast.version']?.string_val)
      for (const value of Object.values(attributes)) assert.ok(value)
      assert.equal('driver.holdfast' in attributes, false)
      stream.cancel()
    } finally {
      await host.kill()
    }
  })
})
