import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceError } from '@grpc/grpc-js'
import type { Message } from '../../src/nomad/wire/codec.ts'
import { requires } from '../support/requires.ts'
import { driverBench } from './support/driver-bench.ts'
import { until } from './support/until.ts'

/** As the client's pool has them: no account has it. */
const pooledUid = 80_123

/** What later Nomads give a task: users of a pool, secrets in memory, memory_max, reserved processors. */
describe('a task that uses what later Nomads have', function () {
  this.timeout(120_000)
  const bench = driverBench('nomad-newer', { dynamic_workload_users: true })

  async function outputOf(task: object & { id: string }): Promise<string> {
    return (await bench.outputOf(task)) + bench.allocation.logged('stderr')
  }

  async function offersUsers(): Promise<unknown> {
    const { capabilities } = await bench.driver('Capabilities')
    return (capabilities as Message).dynamic_workload_users
  }

  const pooled = { user: `nomad-${pooledUid}` }

  it("is a user of the client's pool, which it is given where the plugin's configuration says so", async () => {
    assert.equal(await offersUsers(), true)
    const script = 'id -u; id -g; id -G; touch /local/a /alloc/data/a /secrets/a && stat -c %u /local/a'
    const id = String(pooledUid)
    assert.equal(await outputOf(bench.allocation.shell(script, pooled)), `${id}\n${id}\n${id}\n${id}\n`)
    await bench.configure({})
    assert.equal(await offersUsers(), false)
    await bench.configure({ dynamic_workload_users: true })
  })

  it('has its /tmp in memory, and what else it asks for there, instead of what the client has made', async () => {
    const { allocation } = bench
    const script = 'stat -f -c %T /tmp /local/cache; echo x > /tmp/own; echo x > /local/cache/own'
    const tmpfs = ['/tmp/', '/local/cache'].map(target => ({ target, size_mb: 1 }))
    const config = { command: '/bin/sh', args: ['-c', script], tmpfs }
    assert.equal(await outputOf(allocation.task(config)), 'tmpfs\ntmpfs\n')
    for (const place of ['tmp', 'local/cache'])
      assert.deepEqual(readdirSync(join(allocation.dir, 't', place)), [])
  })

  it('is not made root by the name of such a user, nor given a number that no user can have', async () => {
    for (const [user, says] of [
      ['nomad-0', /^user: this node does not run jobs as root/],
      ['nomad-00', /^user: this node does not run jobs as root/],
      ['nomad-4294967296', /^user: got "nomad-4294967296", takes a number up to 2147483647/],
    ] as const)
      await assert.rejects(
        bench.start(bench.allocation.shell('id -u', { user })),
        ({ details }: ServiceError) => says.test(details),
      )
  })

  it('reads what the client has written to its secrets directory, which is in memory and in no record', async () => {
    const secrets = join(bench.allocation.dir, 't/secrets')
    // As the client mounts it (and on kernels that have it, with noswap).
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,noexec,mode=777', 'tmpfs', secrets])
    try {
      const write = (name: string, text: string, uid: number) => {
        writeFileSync(join(secrets, name), text)
        chmodSync(join(secrets, name), 0o600)
        chownSync(join(secrets, name), uid, -1)
      }
      write('nomad_token', 'identity-4711', pooledUid)
      write('other', 'identity-4712', 1)
      const script = `cat /secrets/nomad_token; echo; stat -f -c %T /secrets; cat /secrets/other 2>&1 | tail -c 18
        cp /bin/true /secrets/run && { /secrets/run 2>/dev/null || echo refused; }
        until [ -e /secrets/renewed ]; do sleep 0.05; done; cat /secrets/renewed; echo; sleep 100`
      const environment = { NOMAD_SECRETS_DIR: '/secrets', IN_ENV: 'control-4713' }
      await bench.start(bench.allocation.shell(script, { ...pooled, env: environment }))
      let said = ''
      await until('it has tried to run', () => (said += bench.allocation.logged()).includes('refused'))
      write('renewed', 'identity-4714', pooledUid)
      await until('it has read the renewed one', () => (said += bench.allocation.logged()).includes('4714'))
      assert.equal(said, 'identity-4711\ntmpfs\nPermission denied\nrefused\nidentity-4714\n')
      const stored = [
        bench.stateDir,
        join(bench.allocation.dir, 'alloc'),
        join(bench.allocation.dir, 't/local'),
      ].flatMap(contents)
      assert.ok(
        stored.some(text => text.includes('control-4713')),
        'what is in the environment is stored: the search finds what there is',
      )
      assert.ok(!stored.some(text => /identity-471/.test(text)))
    } finally {
      await bench.destroyStarted()
      execFileSync('umount', [secrets])
    }
    assert.deepEqual(readdirSync(secrets), [], 'nothing of it lay on the disk below')
  })

  it('may go beyond its memory as far as memory_max, and its end says so', async () => {
    const events: Message[] = []
    const stream = bench.host.client.stream('TaskEvents').on('data', event => events.push(event as Message))
    const resources = {
      allocated_resources: { memory: { memory_mb: 8, memory_max_mb: 48 } },
      linux_resources: { cpu_shares: 100, memory_limit_bytes: 48 * 1024 * 1024 },
    }
    const held = 'head -c 25000000 /dev/zero | tail | wc -c; tail /dev/zero; echo then'
    const task = bench.allocation.shell(held, { resources })
    assert.match(await outputOf(task), /^25000000\n/)
    const event = () => events.find(({ message }) => String(message).includes('more memory than it may'))
    await until('the event has come', () => event() !== undefined)
    assert.match(String(event()?.message), /48 MiB/)
    assert.equal((event()?.annotations as Readonly<Record<string, string>>).oomKills, '1')
    stream.cancel()
  })

  it('is told of forks that its limits.pids has refused', async () => {
    const events: Message[] = []
    const stream = bench.host.client.stream('TaskEvents').on('data', event => events.push(event as Message))
    const config = {
      command: 'sh',
      args: ['-c', 'for i in 1 2 3 4 5 6; do sleep 100 & done'],
      limits: { pids: 4 },
    }
    await outputOf(bench.allocation.task(config))
    await until('the event has come', () =>
      events.some(({ message }) => /^Forks of the task were refused \(\d+\)/.test(String(message))),
    )
    stream.cancel()
  })

  it('runs on the processors that are reserved for it: those of its cgroup, and those that are named', async function () {
    requires(this, 'cgroup-v1')
    const cpuset = '/sys/fs/cgroup/cpuset/holdfast'
    const parent = join(cpuset, `nomad-${bench.allocation.id}`)
    const cgroup = join(parent, 'reserve', `${bench.allocation.id}.t`)
    const made = [parent, join(parent, 'reserve'), cgroup]
    for (const path of made) {
      mkdirSync(path, { recursive: true })
      for (const [file, value] of [
        ['cpuset.mems', readFileSync('/sys/fs/cgroup/cpuset/cpuset.mems')],
        ['cpuset.cpus', path === cgroup ? '1' : readFileSync('/sys/fs/cgroup/cpuset/cpuset.cpus')],
      ] as const)
        writeFileSync(join(path, file), value)
    }
    try {
      const resources = (cpuset_cpus: string, cpuset_cgroup: string) => ({
        resources: { linux_resources: { cpu_shares: 100, cpuset_cpus, cpuset_cgroup } },
      })
      const script = 'grep Cpus_allowed_list /proc/self/status'
      assert.equal(
        await outputOf(bench.allocation.shell(script, resources('', cgroup))),
        'Cpus_allowed_list:\t1\n',
      )
      assert.equal(
        await outputOf(bench.allocation.shell(script, resources('1', ''))),
        'Cpus_allowed_list:\t1\n',
      )
      assert.equal(
        await outputOf(bench.allocation.shell(script, resources('', ''))),
        `Cpus_allowed_list:\t${all()}\n`,
      )
    } finally {
      await bench.destroyStarted()
      for (const path of made.toReversed()) rmdirSync(path)
    }
  })
})

/** Without any cgroup of reserved ones a task has those of this process. */
function all(): string {
  return /Cpus_allowed_list:\t(.*)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
}

/** Of every file below. */
function contents(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'))
}
