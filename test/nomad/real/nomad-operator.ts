import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parentOf } from '../../support/process-stat.ts'
import { patience, until } from '../support/until.ts'
import type { RealAgent } from './agent.ts'
import { Agents, commandLine, processes } from './agents.ts'
import { type Fields, lastEnd, logs, runGroup, shellTask, taskIs } from './jobs.ts'
import { httpServer } from './both/adapted.ts'
import { isHealthy } from './node.ts'

/** Those of Nomad's own pool. */
const firstPooled = 80_000

const asking = 'agent {\n address = "@HTTP@"\n timeout = 60\n}'

/** What an operator asks of tasks, on a node that collects logs by itself and gives each task a user. */
describe("what an operator asks of a real Nomad's tasks", function () {
  this.timeout(300_000 * patience)
  let agents: Agents
  let agent: RealAgent
  let reached: Server

  before(async function () {
    agents = new Agents(this)
    reached = createServer((_request, response) => response.end('reached\n')).listen(0, '127.0.0.1')
    agent = await agents.make('operator', {
      server: true,
      client: true,
      more: { plugin: `collect_logs = true\n dynamic_workload_users = true\n ${asking}` },
    })
    await agent.start()
    await isHealthy(agent)
  })
  after(async () => {
    reached?.close()
    await agents?.close()
  })

  const inAllocation = (id: string, path: string) => join(agent.directory, 'data/alloc', id, path)
  const told = async (id: string) => logs(agent, id).catch(() => '')
  const alloc = async (command: string, ...args: string[]) => agent.cli('alloc', command, ...args)

  /** Resolves to the allocation's id when the task has said `up`. */
  async function up(id: string, script: string, more: Fields = {}, group: Fields = {}): Promise<string> {
    const task = shellTask('t', script, { KillTimeout: 30e9 * patience, ...more })
    const { ID } = await runGroup(agent, id, 'service', { Tasks: [task], ...group })
    await taskIs(agent, ID, 'running')
    await until(`${id} is up`, async () => (await told(ID)).includes('up\n'), 60_000)
    return ID
  }

  async function stopped(job: string, id: string): Promise<Readonly<Record<string, string>>> {
    await agent.cli('job', 'stop', '-detach', job)
    return lastEnd(await taskIs(agent, id, 'dead'))
  }

  /** To its end; what it says. */
  async function output(id: string, script: string, more: Fields = {}): Promise<string> {
    const { ID } = await runGroup(agent, id, 'batch', {
      Tasks: [shellTask('t', `${script}; echo over`, more)],
    })
    await taskIs(agent, ID, 'dead')
    await until(`${id} has said all`, async () => (await told(ID)).endsWith('over\n'))
    return (await told(ID)).slice(0, -'over\n'.length)
  }

  const waits = 'echo up; while :; do sleep 0.05; done'

  it('alloc exec says why a program cannot be run, with and without a terminal', async () => {
    const id = await up('exec', waits)
    const exec = async (program: string) => alloc('exec', '-i=false', '-t=false', '-task', 't', id, program)
    const missing = await exec('no-such-program')
    assert.match(missing.stderr, /no-such-program.*no such program/)
    assert.deepEqual([missing.code, missing.stdout], [127, ''])
    const refused = await exec('/etc/passwd')
    assert.match(refused.stderr, /\/etc\/passwd.*EACCES/)
    assert.equal(refused.code, 126)
    const { code, shown } = await agent.cliOnTerminal(`alloc exec -i -t -task t ${id} no-such-program`, '')
    assert.match(shown, /no-such-program.*no such program/)
    assert.equal(code, 127)
    await stopped('exec', id)
  })

  describe('logs that the driver writes', () => {
    const part = (number: number) =>
      `seq -f ${number}%06.0f 100000; until [ -e /alloc/data/${number} ]; do sleep 0.02; done`
    const partOf = (number: number) =>
      Array.from({ length: 100_000 }, (_, at) => `${number}${String(at + 1).padStart(6, '0')}\n`).join('')
    let id: string
    let follower: ChildProcess
    let followed = ''

    before(async () => {
      const script = `echo err >&2; echo up; ${[1, 2, 3, 4].map(part).join('\n')}\n${waits}`
      id = await up('logs', script, { LogConfig: { MaxFiles: 2, MaxFileSizeMB: 1 } })
      follower = agent.following('alloc', 'logs', '-f', id, 't')
      follower.stdout?.on('data', chunk => (followed += String(chunk)))
    })
    after(() => follower?.kill())

    it("are followed by alloc logs -f over every rotation by the job's logs block, and the oldest go", async () => {
      let expected = 'up\n'
      for (const number of [1, 2, 3, 4]) {
        expected += partOf(number)
        await until(`part ${number} was followed`, () => followed.length >= expected.length, 60_000)
        writeFileSync(inAllocation(id, `alloc/data/${number}`), '')
      }
      await until('it says it again', () => followed.endsWith('up\n'))
      assert.ok(followed === `${expected}up\n`, 'a gap, or something twice')
      const files = readdirSync(inAllocation(id, 'alloc/logs')).filter(name => name.startsWith('t.stdout'))
      assert.deepEqual(files.sort(), ['t.stdout.2', 't.stdout.3'])
    })

    it('are shown from their end, and of the other stream', async () => {
      const tail = await alloc('logs', '-tail', '-n', '3', id, 't')
      assert.equal(tail.stdout, '4099999\n4100000\nup\n')
      assert.equal((await alloc('logs', '-stderr', id, 't')).stdout, 'err\n')
    })

    it('have no collector of Nomad', () => {
      const collectors = processes().filter(
        pid => commandLine(pid).includes('logmon') && parentOf(pid) === agent.pid,
      )
      assert.deepEqual(collectors, [])
    })
  })

  /** A master and a worker that says when it listens; at its stop signal the master does `first` and ends. */
  const master = (first: string) => `
    (trap "echo worker; touch /local/told" TERM; trap "echo drained; exit" USR1
      touch /local/listens; while :; do sleep 0.05; done) &
    trap "${first}; echo master; exit 3" TERM
    while [ ! -e /local/listens ]; do sleep 0.01; done
    ${waits}`

  it('a stop reaches the leader alone, or all, by stop_signal_target', async () => {
    const alone = await up('leader', master('kill -USR1 $!; wait $!'))
    assert.equal((await stopped('leader', alone)).exit_code, '3')
    assert.equal(await told(alone), 'up\ndrained\nmaster\n')
    const untilTold = 'while [ ! -e /local/told ]; do sleep 0.05; done'
    const all = await up('all', master(untilTold), { Config: { stop_signal_target: 'group' } })
    assert.equal((await stopped('all', all)).exit_code, '3')
    assert.equal(await told(all), 'up\nworker\nmaster\n')
  })

  it('alloc signal and alloc restart do so, and a task that was restarted goes on with its logs', async () => {
    const id = await up('signalled', `trap "echo usr1" USR1; trap "echo bye; exit 0" TERM; ${waits}`)
    assert.equal((await alloc('signal', '-s', 'SIGUSR1', id, 't')).code, 0)
    await until('it has come', async () => (await told(id)).includes('usr1'))
    const wrong = await alloc('signal', '-s', 'SIGNONE', id, 't')
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /SIGNONE/)
    assert.equal((await alloc('restart', id, 't')).code, 0)
    await until('it is up again', async () => (await told(id)).endsWith('bye\nup\n'), 60_000)
    await until('it is an event', async () =>
      (await taskIs(agent, id, 'running')).Events.some(({ Type }) => Type === 'Restart Signaled'),
    )
    await stopped('signalled', id)
    assert.equal(await told(id), 'up\nusr1\nbye\nup\nbye\n')
  })

  it('alloc checks shows the checks of its services', async () => {
    const check = (Name: string, PortLabel: string) => {
      return { Name, Type: 'tcp', PortLabel, Interval: 1e9, Timeout: 1e9 }
    }
    const Checks = [check('well', 'http'), check('ill', 'nobody')]
    const id = await up(
      'checked',
      '',
      {
        Config: { command: 'perl', args: ['-MIO::Socket::INET', '-e', httpServer] },
        Services: [{ Name: 'checked', PortLabel: 'http', Provider: 'nomad', Checks }],
      },
      { Networks: [{ Mode: 'host', DynamicPorts: [{ Label: 'http' }, { Label: 'nobody' }] }] },
    )
    let shown = ''
    await until('both were checked', async () => {
      shown = (await alloc('checks', id)).stdout
      return /success/.test(shown) && /failure/.test(shown)
    })
    assert.match(shown, /= +well\n[^=]*(=[^=\n]*\n[^=]*){3}= +success/)
    assert.match(shown, /= +ill\n[^=]*(=[^=\n]*\n[^=]*){3}= +failure/)
    await stopped('checked', id)
  })

  it('egress reaches what the job names, and what it does not is among the events of the task', async () => {
    const { port } = reached.address() as AddressInfo
    const get = (target: string) =>
      `exec 3<>/dev/tcp/127.0.0.1/$\${HTTP_PROXY##*:}; printf 'CONNECT ${target} HTTP/1.1\\r\\n\\r\\n' >&3; read -r line <&3; echo $line`
    const there = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; tail -1 <&3`
    const script = `${get(`127.0.0.1:${port}`)}; ${there}; ${get('denied.test:443')}; echo up; while :; do sleep 0.05; done`
    const id = await up('egress', '', {
      Config: { command: 'bash', args: ['-c', script], egress: [{ allow: [`127.0.0.1:${port}`] }] },
    })
    assert.match(await told(id), /^HTTP\/1\.1 200[^]*reached\nHTTP\/1\.1 403[^]*up\n$/)
    await until('it is an event', async () =>
      (await taskIs(agent, id, 'running')).Events.some(
        ({ DisplayMessage }) => DisplayMessage === 'egress to denied.test:443 was refused',
      ),
    )
    await stopped('egress', id)
  })

  it('a task without a user is one of the pool that no other is, and owns what it writes', async () => {
    const script = 'id -u; touch /local/x /secrets/x /tmp/x /alloc/data/$(id -u) && stat -c %u /local/x'
    const first = await up('pooled', `${script}; ${waits}`)
    const second = await output('pooled-too', script)
    const uids = [await told(first), second].map(text => Number(text.split('\n')[0]))
    assert.ok(uids.every(uid => uid >= firstPooled && uid < firstPooled + 10_000) && uids[0] !== uids[1])
    assert.equal(await told(first), `${uids[0]}\n${uids[0]}\nup\n`)
    assert.equal(await output('named', 'id -un', { User: 'daemon' }), 'daemon\n')
    await stopped('pooled', first)
  })

  it('secrets and identities are where the job has them, and the driver keeps none', async () => {
    await agent.put('/v1/var/nomad/jobs/secret', { Items: { password: 'known-4711' } })
    const shows = 'stat -f -c %T /secrets; echo $PASSWORD'
    const id = await up('secret', `${shows}; ${waits}`, {
      Identities: [{ Name: 'own', Audience: ['own.example'], File: true, TTL: 36e11 }],
      Secrets: [{ Name: 'db', Provider: 'nomad', Path: 'nomad/jobs/secret' }],
      Env: { PASSWORD: '${secret.db.password}' },
    })
    assert.equal(await told(id), 'tmpfs\nknown-4711\nup\n')
    const cat = ['-i=false', '-t=false', '-task', 't', id, 'cat', '/secrets/nomad_own.jwt']
    const { stdout: token, stderr } = await alloc('exec', ...cat)
    assert.match(token, /^ey[\w-]+\.[\w-]+\.[\w-]+$/, stderr)
    const kept = [join(agent.directory, 'state'), inAllocation(id, 'alloc'), inAllocation(id, 't/local')]
    assert.ok(kept.flatMap(contents).some(text => text.includes('NOMAD_ALLOC_ID')))
    assert.deepEqual(
      kept.flatMap(contents).filter(text => text.includes(token)),
      [],
    )
    await stopped('secret', id)
  })
})

/** Of all files below it. */
function contents(path: string): string[] {
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
}
