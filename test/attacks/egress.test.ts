import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { firstValueFrom, toArray } from 'rxjs'
import { type EgressDecision, type Executor, type HoldfastError } from '../../src/index.ts'
import { largestRules, rulesText } from '../../src/command/destinations.ts'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { eventually } from '../support/eventually.ts'
import { output } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, compiled } from './hostile.ts'

const door = ['127.0.0.1', '3128'] as const
const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex')
const connect = (destination: string): string => hex(`CONNECT ${destination} HTTP/1.1\r\n\r\n`)
const get = (path: string): string => hex(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)

type Host = { readonly bench: Workbench; readonly port: number; readonly asked: string[] }

/** A server on the host's loopback, and tasks that may reach what is allowed of it. */
async function withHost(use: (host: Host) => Promise<void>): Promise<void> {
  const asked: string[] = []
  const server: Server = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`)
    response.end(`it is ${request.url}`)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    await withWorkbench('linux', bench => use({ bench, port, asked }))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const dial = ({ bench }: Host, allow: string[] | null, ...words: readonly string[]): Executor =>
  attacker(bench, 'dial', words, { network: allow === null ? 'host' : { allow } })

async function said(task: Executor): Promise<string> {
  await task.start()
  const { exitCode } = await task.wait()
  assert.equal(exitCode, 0, await output(task, 'stderr'))
  return output(task, 'stdout')
}

const decisions = (task: Executor): Promise<EgressDecision[]> => firstValueFrom(task.egress$.pipe(toArray()))

/** The one forwarder of a running task: a child of its shim. */
/** It takes its name when it has been forked, which nobody waits for. */
async function forwarderOf(task: Executor): Promise<number> {
  const shim = task.context.start?.shim.pid
  let found: string[] = []
  await eventually(() => {
    const children = readFileSync(`/proc/${shim}/task/${shim}/children`, 'utf8').trim().split(' ')
    found = children.filter(pid => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'holdfast-egress\n')
    assert.equal(found.length, 1, `forwarders of ${children.join(', ')}: ${found.join(', ')}`)
  })
  return Number(found[0])
}

function field(pid: number, name: string): string {
  const [, value = ''] =
    new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return value
}

/** Of so many bytes, at port 443. */
function longName(length: number): string {
  const labels = 'a'.repeat(length).replace(/a{60}(?=aa)/g, `${'a'.repeat(59)}.`)
  return `${labels}:443`
}

function kindOf(link: string): string {
  const status = statSync(link)
  if (status.isCharacterDevice() && status.rdev === statSync('/dev/null').rdev) return '/dev/null'
  return readlinkSync(link).replace(/:.*/, '')
}

describe('attack: a task reaches more than its network rules allow', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('what is allowed is reached by CONNECT, by an absolute URL and by SOCKS5', () =>
    withHost(async host => {
      const { port, asked } = host
      const allow = [`127.0.0.1:${port}`, `localhost:${port}`]
      const here = `127.0.0.1:${port}`
      assert.match(
        await said(dial(host, allow, ...door, connect(here), get('/a'))),
        /^HTTP\/1\.1 200 .*it is \/a$/s,
      )
      const url = hex(
        `GET http://${here}/b HTTP/1.1\r\nHost: elsewhere\r\nProxy-Connection: keep-alive\r\n\r\n`,
      )
      assert.match(await said(dial(host, allow, ...door, url)), /it is \/b$/)
      const name = Buffer.from('localhost')
      const request = Buffer.from([5, 1, 0, 3, name.length, ...name, port >> 8, port & 255]).toString('hex')
      assert.match(await said(dial(host, allow, ...door, '050100', request, get('/c'))), /it is \/c$/)
      assert.deepEqual(asked, ['x /a', `${here} /b`, 'x /c'])
    }))

  it('nothing else: no other port, no other address, no name that resolves to one, and not past the forwarder', () =>
    withHost(async host => {
      const { port, asked } = host
      const there = ['127.0.0.1', `${port}`, get('/direct')] as const
      assert.equal(await said(dial(host, [`127.0.0.1:${port}`], ...there)), 'refused ECONNREFUSED\n')
      const refused: [allow: string[], destination: string][] = [
        [[`127.0.0.1:${port + 1}`], `127.0.0.1:${port}`],
        [[`127.0.0.2:${port}`], `127.0.0.1:${port}`],
        [[`127.0.0.2:${port}`], `[::ffff:127.0.0.1]:${port}`],
        [[`localhost:${port}`], `localhost:${port}`],
        [[`*.localhost:${port}`], `localhost:${port}`],
        [[`localhost:${port}`], `127.0.0.1:${port}`],
        [['169.254.169.254'], `127.0.0.1:${port}`],
        [[], `127.0.0.1:${port}`],
      ]
      for (const [allow, destination] of refused)
        assert.match(
          await said(dial(host, allow, ...door, connect(destination))),
          /^HTTP\/1\.1 403 Forbidden/,
          `${allow.join()} ${destination}`,
        )
      assert.deepEqual(asked, [])
    }))

  it('control: a task in the network of the host reaches all of it', () =>
    withHost(async host => {
      const { port, asked } = host
      await said(dial(host, null, '127.0.0.1', `${port}`, get('/direct')))
      assert.deepEqual(asked, ['x /direct'])
    }))

  it('each decision is told, recorded and counted', () =>
    withHost(async host => {
      const here = `127.0.0.1:${host.port}`
      const task = dial(host, [here], ...door, connect('example.com:443'))
      await said(task)
      const expected = [{ host: 'example.com', port: 443, allowed: false }]
      assert.deepEqual(
        (await decisions(task)).map(({ at: _at, ...rest }) => rest),
        expected,
      )
      const entries = (await host.bench.supervisor.history(task.key)).filter(
        ({ event }) => event === 'EGRESS',
      )
      assert.deepEqual(
        entries.map(({ host: name, port, allowed, sequence }) => [name, port, allowed, sequence]),
        [['example.com', 443, false, null]],
      )
      assert.equal((await task.wait()).limitsHit.egressDenied, 1)
    }))

  it('the forwarder has no capabilities, no files, a filter and, as root, a user of its own', () =>
    withHost(async ({ bench }) => {
      const task = bench.command('sleep', '60')
      task.command.network = { allow: ['example.com'] }
      await task.start()
      const pid = await forwarderOf(task)
      await eventually(() => assert.equal(field(pid, 'Seccomp'), '2'))
      assert.equal(field(pid, 'NoNewPrivs'), '1')
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        assert.match(field(pid, set), /^0+$/, set)
      // Whom it belongs to may not look at what it holds either: it is not dumpable.
      if (process.geteuid?.() !== 0) assert.throws(() => readdirSync(`/proc/${pid}/fd`), { code: 'EACCES' })
      else {
        assert.match(field(pid, 'Uid'), /^1879048191\s/)
        const files = readdirSync(`/proc/${pid}/fd`).map(fd => kindOf(`/proc/${pid}/fd/${fd}`))
        assert.deepEqual([...new Set(files)].sort(), ['/dev/null', 'anon_inode', 'socket'])
      }
      await task.destroy()
    }))

  it('outlives its supervisor, and ends with the task and with the shim', () =>
    withHost(async ({ bench, port }) => {
      const task = bench.command('sh', '-c', 'until [ -e /local/go ]; do sleep 0.02; done; sleep 60')
      task.command.network = { allow: [`127.0.0.1:${port}`] }
      await task.start()
      const id = task.id()
      const pid = await forwarderOf(task)
      await bench.supervisor.close()
      const next = await bench.another().open(id)
      const probe = next.exec('sh', '-c', 'exit 0')
      await probe.start()
      await probe.wait()
      assert.match(field(pid, 'State'), /^[RSD]/)
      process.kill(next.context.start?.shim.pid ?? 0, 'SIGKILL')
      assert.equal((await next.wait()).cause, 'lost')
      await eventually(() => assert.ok(!readdirSync('/proc').includes(`${pid}`)))
    }))

  it('update() replaces the rules of a running task, also for what exec() has brought in', () =>
    withHost(async host => {
      const { port } = host
      const here = `127.0.0.1:${port}`
      const task = attacker(host.bench, 'dial', [], { network: { allow: [] } })
      const mounts = task.command.mounts ?? []
      const holder = host.bench.command('sleep', '60')
      Object.assign(holder.command, { mounts, network: { allow: [] } })
      await holder.start()
      const tryNow = async (): Promise<string> => {
        const session = holder.exec('/tmp/hostile/dial', ...door, connect(here), get('/x'))
        await session.start()
        await session.wait()
        return output(session, 'stdout')
      }
      assert.match(await tryNow(), /^HTTP\/1\.1 403/)
      await holder.update({ network: { allow: [here] } })
      assert.match(await tryNow(), /it is \/x$/)
      assert.equal(holder.enforcement.find(({ name }) => name === 'network')?.requested, `allow ${here}`)
      await holder.update({ network: { allow: ['10.0.0.0/8'] }, wallTimeMs: 60_000 })
      assert.match(await tryNow(), /^HTTP\/1\.1 403/)
      await assert.rejects(
        holder.update({ network: { allow: ['a:b'] } }),
        /network\.allow\[0\]: got "a:b", takes "host:port"/,
      )
      await holder.destroy()
    }))

  it('as many rules as are taken reach the forwarder, at the start and by update()', () =>
    withHost(async ({ bench, port }) => {
      const here = `127.0.0.1:${port}`
      const longest = [here]
      // Each of these is a line of 148 bytes; the last one fills what is left.
      while (rulesText([...longest, longName(138)]).length <= largestRules) longest.unshift(longName(138))
      const left = largestRules - rulesText(longest).length
      longest.unshift(longName(left - 10))
      assert.equal(rulesText(longest).length, largestRules)
      const holder = bench.command('sleep', '60')
      const mounts = attacker(bench, 'dial').command.mounts ?? []
      Object.assign(holder.command, { mounts, network: { allow: longest } })
      await holder.start()
      for (let round = 0; round < 2; round++) {
        const session = holder.exec('/tmp/hostile/dial', ...door, connect(here), get('/x'))
        await session.start()
        await session.wait()
        assert.match(await output(session, 'stdout'), /it is \/x$/)
        await holder.update({ network: { allow: [] } })
        await holder.update({ network: { allow: longest } })
      }
      await holder.destroy()
    }))

  it('update() refuses rules for a task that was started without any', () =>
    withHost(async ({ bench }) => {
      const task = bench.command('sleep', '60')
      await task.start()
      await assert.rejects(
        task.update({ network: { allow: [] } }),
        (error: HoldfastError) =>
          error.code === 'INVALID_ARGUMENT' && error.hint?.includes('command.network') === true,
      )
      await task.destroy()
    }))

  it('a name leads where it is allowed to lead: no private address, also not of one that was public before, and no question about others', async function () {
    requires(this, 'root')
    const directory = temporaryDirectory('names')
    writeFileSync(join(directory, 'resolv.conf'), 'nameserver 127.0.0.2\nnameserver 127.0.0.1\n')
    const script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
    const program = fileURLToPath(new URL('../fixtures/programs/egress-names.ts', import.meta.url))
    const node = [process.execPath, '--conditions=development', '--import', 'tsx', program]
    const state = join(directory, 'state')
    const inMounts = ['unshare', '-m', 'sh', '-c', script, 'sh', join(directory, 'resolv.conf')]
    const { stdout } = await execa(
      compiled('own_network'),
      ['8.8.4.4', ...inMounts, ...node, state, compiled('dial')],
      { cwd: packageRoot },
    )
    const lines = stdout
      .split('\n')
      .map(line => JSON.parse(line) as { name: string; got: string; asked: string[] })
    assert.deepEqual(
      lines.map(({ name, got, asked }) => `${name}: ${got} (${asked.length})`),
      [
        'public.test: 200 served public.test (1)',
        'alias.test: 403 holdfast: alias.test: not an allowed destination (0)',
        'metadata.test: 403 holdfast: metadata.test: its addresses are private, and not allowed by address (1)',
        'loopback.test: 403 holdfast: loopback.test: its addresses are private, and not allowed by address (1)',
        'mixed.test: 200 served mixed.test (1)',
        'rebound.test: 200 served rebound.test (1)',
        'none.test: 502 holdfast: none.test: no address is known for it (1)',
        'rebound.test: 403 holdfast: rebound.test: its addresses are private, and not allowed by address (1)',
        'wrong.test: 403 holdfast: wrong.test: not an allowed destination (0)',
      ],
    )
  })
})
