import assert from 'node:assert/strict'
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { release } from 'node:os'
import { join } from 'node:path'
import { patience, until } from '../support/until.ts'
import type { RealAgent } from './agent.ts'
import { Agents, pluginsOf } from './agents.ts'
import { allocation, type Fields, lastEnd, logs, runGroup, shellTask, taskIs } from './jobs.ts'
import { isHealthy } from './node.ts'

/** Where the numbers begin, and where is written down whose each is (`ownUsers` of the library). */
const firstOwn = 1_879_048_192
const registry = '/var/lib/holdfast-users'
const nobody = 65534
/** Before Linux 6.3 files in memory are nobody else's than on the node. */
const [major = 0, minor = 0] = release().split('.').map(Number)
const secretsAreMapped = major > 6 || (major === 6 && minor >= 3)

for (const collects of [false, true])
  describe(`tasks of a real Nomad with users of their own, their logs by ${collects ? 'their shims' : 'its collector'}`, function () {
    this.timeout(300_000 * patience)
    let agents: Agents
    let agent: RealAgent
    let artifacts: Server

    before(async function () {
      agents = new Agents(this)
      artifacts = createServer((_request, response) => response.end('fetched\n')).listen(0, '127.0.0.1')
      agent = await agents.make('own', {
        server: true,
        client: true,
        more: {
          plugin: `default_user = "own"\n allow_root = true\n allow_capabilities = ["chown"]\n collect_logs = ${collects}`,
        },
      })
      await agent.start()
      await isHealthy(agent)
    })
    after(async () => {
      artifacts?.close()
      await agents?.close()
    })

    const inAllocation = (id: string, path = '') => join(agent.directory, 'data/alloc', id, path)
    const told = async (id: string, task = 't') => logs(agent, id, 'stdout', task).catch(() => '')
    const says = async (id: string, text: string, task = 't') =>
      until(`${task} says ${text}`, async () => (await told(id, task)).includes(text), 60_000)

    async function exec(id: string, script: string, task = 't'): Promise<string> {
      const args = ['exec', '-i=false', '-t=false', '-task', task, id, 'sh', '-c', script]
      const { stdout, stderr } = await agent.cli('alloc', ...args)
      return stdout + stderr
    }

    async function output(id: string, script: string, more: Fields = {}): Promise<string> {
      const { ID } = await runGroup(agent, id, 'batch', {
        Tasks: [shellTask('t', `${script}; echo over`, more)],
      })
      await taskIs(agent, ID, 'dead')
      await says(ID, 'over\n')
      return (await told(ID)).slice(0, -'over\n'.length)
    }

    async function stopped(job: string, id: string, ...tasks: string[]): Promise<void> {
      await agent.cli('job', 'stop', '-detach', job)
      for (const task of tasks) assert.equal(lastEnd(await taskIs(agent, id, 'dead', task)).exit_code, '0')
    }

    const waits = 'trap "exit 0" TERM; echo up; while :; do sleep 0.05; done'
    const ids = 'id -u; id -g; id -G'

    it('each has a number that no other has, also where the job asks for it, and USER says which', async () => {
      const said = [
        await output('default', `${ids}; echo $USER`),
        await output('asked', `${ids}; echo $USER`, { User: 'own' }),
      ]
      const numbers = said.map(text => Number(text.split('\n')[0]))
      for (const [index, number] of numbers.entries()) {
        assert.ok(number >= firstOwn && number < firstOwn + 65_536, said[index])
        assert.equal(said[index], `${number}\n`.repeat(4))
      }
      assert.notEqual(numbers[0], numbers[1])
      assert.equal(await output('named', 'id -un', { User: 'daemon' }), 'daemon\n')
    })

    it('has what templates, artifacts and identities bring, by their modes, and may write beside', async () => {
      const { port } = artifacts.address() as AddressInfo
      const template = (DestPath: string, Perms: string, more: object = {}) => ({
        EmbeddedTmpl: `${DestPath}\n`,
        DestPath,
        ChangeMode: 'noop',
        Perms,
        ...more,
      })
      const ofNobody = { Uid: nobody, Gid: nobody }
      const owned = ['local/own', ...(secretsAreMapped ? ['secrets/own'] : [])]
      const shown = await output(
        'brought',
        `cd /; for f in local/open secrets/open ${owned.join(' ')} conf/open local/fetched; do cat $f; done
        [ -s /secrets/nomad_own.jwt ] && echo identity
        for f in local/root secrets/root; do cat $f 2>/dev/null || echo refused; done
        stat -c %u ${owned.join(' ')} | sed "s/$(id -u)/mine/"
        for d in local secrets tmp alloc/data; do touch $d/x && stat -c %u $d/x | sed "s/$(id -u)/mine/"; done`,
        {
          Templates: [
            template('local/open', '0644'),
            template('secrets/open', '0644'),
            template('conf/open', '0644'),
            template('local/own', '0600', ofNobody),
            template('secrets/own', '0600', ofNobody),
            template('local/root', '0600'),
            template('secrets/root', '0600'),
          ],
          Artifacts: [
            {
              GetterSource: `http://127.0.0.1:${port}/f`,
              RelativeDest: 'local/fetched',
              GetterMode: 'file',
              Chown: true,
            },
          ],
          Identities: [{ Name: 'own', Audience: ['own.example'], File: true, TTL: 36e11 }],
        },
      )
      const brought = ['local/open', 'secrets/open', ...owned, 'conf/open', 'fetched']
      const all = [
        ...brought,
        'identity',
        'refused',
        'refused',
        ...Array<string>(owned.length + 4).fill('mine'),
      ]
      assert.equal(shown, all.map(line => `${line}\n`).join(''))
    })

    it('goes on with its files when it is restarted in place, whatever number it has then', async () => {
      const places = ['local', 'tmp', 'alloc/data', ...(secretsAreMapped ? ['secrets'] : [])]
      const { ID } = await runGroup(agent, 'restarted', 'service', {
        Tasks: [
          shellTask(
            't',
            `cd /; umask 077; for d in ${places.join(' ')}; do id -u >> $d/starts && wc -l < $d/starts; done; ${waits}`,
          ),
        ],
      })
      await says(ID, 'up\n')
      assert.equal((await agent.cli('alloc', 'restart', ID, 't')).code, 0)
      await until('it is up again', async () => (await told(ID)).split('up\n').length === 3, 60_000)
      assert.equal(await told(ID), [1, 2].map(line => `${`${line}\n`.repeat(places.length)}up\n`).join(''))
      await stopped('restarted', ID, 't')
    })

    describe('of two in one allocation, prepared by a third', () => {
      let id: string
      let numbers: Readonly<Record<string, number>>
      before(async () => {
        const prepares = `mkdir /alloc/data/made; echo prepared > /alloc/data/made/file
          chmod 600 /alloc/data/made/file; chown -R ${nobody}:${nobody} /alloc/data/made`
        const prestart = { Lifecycle: { Hook: 'prestart', Sidecar: false }, User: 'root' }
        const capabilities = { Config: { cap_add: ['chown'] } }
        const ticks = 'trap "exit 0" TERM; echo up; while :; do echo tick; sleep 0.1; done'
        const writes = (name: string) => `umask 077; echo of ${name} > /alloc/data/${name}; ${ticks}`
        const group = {
          Tasks: [
            shellTask('prepares', prepares, { ...prestart, ...capabilities }),
            shellTask('one', writes('one')),
            shellTask('other', writes('other')),
          ],
        }
        id = (await runGroup(agent, 'shared', 'service', group)).ID
        for (const task of ['one', 'other']) await says(id, 'up\n', task)
        const numberOf = async (task: string) => Number(await exec(id, 'id -u', task))
        numbers = { one: await numberOf('one'), other: await numberOf('other') }
      })

      it('alloc exec is the user of its task', () => {
        assert.ok(Object.values(numbers).every(number => number >= firstOwn))
        assert.notEqual(numbers.one, numbers.other)
      })

      it('each finds what lies in /alloc its own, whoever has made it, and nobody’s on the node', async () => {
        const script = 'cd /alloc/data; cat made/file one other; stat -c %u one other made/file'
        for (const task of ['one', 'other']) {
          const said = await exec(id, `echo by ${task} >> /alloc/data/one; ${script}`, task)
          const by = task === 'one' ? 'by one\n' : 'by one\nby other\n'
          assert.equal(said, `prepared\nof one\n${by}of other\n${`${numbers[task]}\n`.repeat(3)}`)
        }
        for (const name of ['one', 'other', 'made/file'])
          assert.equal(statSync(inAllocation(id, `alloc/data/${name}`)).uid, nobody)
      })

      it('has the same number when plugin and agent were killed, and writes its logs on', async () => {
        const plugins = pluginsOf(agent)
        await agent.end('SIGKILL')
        for (const plugin of plugins) process.kill(plugin, 'SIGKILL')
        await agent.start()
        await until(
          'it runs on',
          async () => (await allocation(agent, id).catch(() => null))?.ClientStatus === 'running',
          60_000,
        )
        for (const task of ['one', 'other']) {
          const isEntered = async () => (await exec(id, 'id -u', task)) === `${numbers[task]}\n`
          await until('it can be entered', isEntered)
          const { length } = await told(id, task)
          await until('its log goes on', async () => (await told(id, task)).length > length)
        }
      })

      it('leaves nothing that belongs to its number, which is given back', async () => {
        await stopped('shared', id, 'one', 'other')
        for (const number of Object.values(numbers)) assert.deepEqual(ownedBy(number, inAllocation(id)), [])
        await agent.put('/v1/system/gc')
        await until('the allocation is gone', () => !existsSync(inAllocation(id)), 60_000)
        for (const number of Object.values(numbers)) {
          assert.equal(holderOf(number), 'free')
          assert.deepEqual(ownedBy(number, agent.directory), [])
        }
      })
    })

    it('gives back the numbers of all that has ended', async () => {
      const { ID } = await runGroup(agent, 'last', 'batch', {
        Tasks: [shellTask('t', 'touch /tmp/x; echo $(id -u) own')],
      })
      await taskIs(agent, ID, 'dead')
      await says(ID, 'own\n')
      const number = Number.parseInt(await told(ID), 10)
      await agent.put('/v1/system/gc')
      await until('its allocation is gone', () => !existsSync(inAllocation(ID)), 60_000)
      assert.equal(holderOf(number), 'free')
    })
  })

/** What the newest of a number's entries says. */
function holderOf(number: number): string {
  const at = join(registry, String(number))
  const newest = Math.max(...readdirSync(at).map(Number))
  return readlinkSync(join(at, String(newest)))
}

function ownedBy(number: number, directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(name => {
    const stats = statSync(join(directory, name), { throwIfNoEntry: false })
    return stats?.uid === number || stats?.gid === number
  })
}
