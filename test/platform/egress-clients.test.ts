import assert from 'node:assert/strict'
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { toolchains } from '../../src/command/toolchains.ts'
import type { Executor } from '../../src/index.ts'
import { type Client, clients, mountsOf, shown } from '../support/clients/clients.ts'
import { type Host, startHost } from '../support/clients/host.ts'
import { word } from '../support/clients/registries.ts'
import { localhostCertificate } from '../support/clients/tls-authority.ts'
import { output } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

describe('programs that fetch, in a network of named destinations', () => {
  let directory = ''
  let allowed: Host
  let other: Host
  before(async function () {
    requires(this, 'isolation', 'linux', 'native', 'openssl', 'git')
    directory = temporaryDirectory('clients')
    const certificate = localhostCertificate(directory)
    mkdirSync(join(directory, 'shown'), { mode: 0o755 })
    renameSync(join(directory, 'ca.pem'), join(directory, 'shown', 'ca.pem'))
    allowed = await startHost(join(directory, 'allowed'), certificate)
    other = await startHost(join(directory, 'other'), certificate)
  })
  after(() => {
    allowed?.close()
    other?.close()
    removeTemporary(directory)
  })

  /** Asks one of the hosts; the rules are for the other's ports in no case. */
  async function asks(client: Client, host: Host) {
    let found = {
      exitCode: -1 as number | null,
      said: '',
      denied: null as number | null,
      decided: [] as string[],
    }
    host.asked.length = 0
    await withWorkbench('linux', async bench => {
      const task = taskOf(bench, client, host)
      await task.start()
      const { exitCode, limitsHit } = await task.wait()
      const decided = (await bench.supervisor.history(task.key))
        .filter(({ event }) => event === 'EGRESS')
        .map(entry => `${entry.host}:${entry.port} ${entry.allowed ? 'allowed' : 'refused'}`)
      const said = `${await output(task)}${await output(task, 'stderr')}`
      found = { exitCode, said, denied: limitsHit.egressDenied, decided: [...new Set(decided)] }
    })
    return found
  }

  function taskOf(bench: Workbench, client: Client, host: Host): Executor {
    const { env, mounts } = toolchains()
    const task = bench.shell(client.script(`${client.of}://localhost:${host[client.of]}`))
    const certificates = { source: join(directory, 'shown'), target: shown, readOnly: true }
    const { http, https } = allowed
    Object.assign(task.command, {
      network: { allow: [http, https].flatMap(port => [`localhost:${port}`, `127.0.0.1:${port}`]) },
      mounts: [...mounts, ...mountsOf(client, directory), certificates],
      env: { ...env, ...client.env },
    })
    return task
  }

  for (const client of clients)
    describe(client.name, () => {
      before(function () {
        requires(this, ...client.needs)
      })

      it('gets what it asks for, and each connection is journalled', async () => {
        const { exitCode, said, denied, decided } = await asks(client, allowed)
        assert.equal(exitCode, 0, said)
        assert.match(said, new RegExp(word))
        assert.deepEqual(decided, [`localhost:${allowed[client.of]} allowed`])
        assert.equal(denied, 0)
        assert.notDeepEqual(allowed.asked, [])
      })

      it('control: gets nothing of the same server at another port, and that is journalled', async () => {
        const { exitCode, said, denied, decided } = await asks(client, other)
        assert.notEqual(exitCode, 0, said)
        assert.doesNotMatch(said, new RegExp(word))
        assert.deepEqual(decided, [`localhost:${other[client.of]} refused`])
        assert.ok(denied !== null && denied > 0)
        assert.deepEqual(other.asked, [])
      })
    })
})
