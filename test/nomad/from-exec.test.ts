import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { ServiceError } from '@grpc/grpc-js'
import type { Message } from '../../src/nomad/wire/codec.ts'
import { driverBench } from './support/driver-bench.ts'
import { until } from './support/until.ts'

/** What jobs that were written for Nomad's own `exec` driver ask for. */
describe('a job written for the exec driver', function () {
  this.timeout(120_000)
  const bench = driverBench('nomad-exec', {
    allow_capabilities: ['net_bind_service'],
    default_user: 'own',
  })

  const shell = (script: string, config: object = {}, more: object = {}) =>
    bench.allocation.task({ command: 'sh', args: ['-c', script], ...config }, more)

  it('may drop capabilities, and add back one that the node allows', async () => {
    const config = {
      cap_drop: ['all'],
      cap_add: ['NET_BIND_SERVICE'],
      pid_mode: 'private',
      ipc_mode: 'private',
    }
    assert.equal(
      await bench.outputOf(shell('grep CapEff /proc/self/status', config)),
      'CapEff:\t0000000000000400\n',
    )
    assert.equal(
      await bench.outputOf(shell('grep CapEff /proc/self/status', { cap_add: ['all'] })),
      'CapEff:\t0000000000000400\n',
    )
  })

  it('is refused what would isolate it less than the node allows, with the option that would allow it', async () => {
    for (const [config, says] of [
      [{ ipc_mode: 'host' }, /^config\.ipc_mode: .*allow_ipc_host/],
      [{ cgroup_v2_override: '/a' }, /^config\.cgroup_v2_override: a task here is limited/],
      [{ cgroup_v1_override: [{ pids: '/a' }] }, /^config\.cgroup_v1_override: a task here is limited/],
      [{ pid_mode: 'host' }, /^config\.pid_mode: .*"private"/],
      [{ pid_mode: 'shared' }, /^config\.pid_mode: got "shared", takes "private" or "host"/],
      [{ stop_signal_target: 'all' }, /^config\.stop_signal_target: got "all", takes "leader" or "group"/],
      [{ egress: { allow: ['no port:x'] } }, /allow/],
      [{ jar_path: 'local/app.jar' }, /^config\.jar_path: .*command = "java" and args = \["-jar"/],
      [{ jvm_options: ['-Xmx64m'] }, /^config\.jvm_options: .*command = "java" and args = \["-Xmx256m"/],
    ] as const) {
      const failure = await bench.start(shell('true', config)).catch((error: ServiceError) => error)
      assert.match((failure as ServiceError).details, says)
    }
    const grouped = { network_isolation_spec: { mode: 1, path: '/proc/self/ns/net' } }
    await assert.rejects(bench.start(shell('true', { egress: { allow: ['example.com'] } }, grouped)), {
      details: /^config\.egress: the task is in its group's network/,
    })
  })

  it('starts a program that came as an artifact, without mode bits, from local/', async () => {
    writeFileSync(join(bench.allocation.dir, 't/local/server'), '#!/bin/sh\necho served by $0\n', {
      mode: 0o644,
    })
    assert.equal(
      await bench.outputOf(bench.allocation.task({ command: 'server' })),
      'served by /local/server\n',
    )
  })

  it('has the host name of the node, by which programs register themselves', async () => {
    assert.equal(await bench.outputOf(shell('hostname')), `${hostname()}\n`)
  })

  /** A master and a worker that says when it listens; at its stop signal the master does `first` and ends. */
  const master = (first: string) => `
    (trap "echo worker; touch /local/told" TERM; touch /local/listens; while :; do sleep 0.05; done) &
    trap "${first}; echo master; exit 3" TERM
    while [ ! -e /local/listens ]; do sleep 0.01; done
    echo up
    while :; do sleep 0.05; done`

  it('gets its stop signal at its leader alone, which can drain its workers', async () => {
    await stopWhenUp(shell(master('sleep 0.2')))
    assert.equal(bench.allocation.logged(), 'master\n')
  })

  it('gets it at all of its processes where it says so', async () => {
    const untilTold = 'while [ ! -e /local/told ]; do sleep 0.05; done'
    await stopWhenUp(shell(master(untilTold), { stop_signal_target: 'group' }))
    assert.equal(bench.allocation.logged(), 'worker\nmaster\n')
  })

  async function stopWhenUp(task: object & { id: string }): Promise<void> {
    await bench.start(task)
    await until('it is up', () => bench.allocation.logged().includes('up'))
    const timeout = { seconds: 20, nanos: 0 }
    await bench.driver('StopTask', { task_id: task.id, timeout, signal: 'SIGTERM' })
    const { result } = await bench.driver('WaitTask', { task_id: task.id })
    assert.equal((result as Message).exit_code, 3)
  }

  it('runs as a user that no other task has, where the node says so, and writes what is its own', async () => {
    const uid = async () =>
      Number(
        await bench.outputOf(
          shell(
            'id -u; cd /local; touch $(id -u) /alloc/data/$(id -u) /tmp/$(id -u) /secrets/$(id -u) || echo refused',
          ),
        ),
      )
    const [first, second] = [await uid(), await uid()]
    assert.ok(first >= 1_879_048_192 && second >= 1_879_048_192, `${first} ${second}`)
  })

  it('reaches the destinations of its job alone, and the others are told as events', async () => {
    const events: Message[] = []
    const stream = bench.host.client.stream('TaskEvents').on('data', event => events.push(event as Message))
    const reach = `exec 3<>/dev/tcp/127.0.0.1/\${HTTP_PROXY##*:}; printf 'CONNECT denied.test:443 HTTP/1.1\\r\\n\\r\\n' >&3; head -1 <&3`
    const task = bench.allocation.task({
      command: 'bash',
      args: ['-c', reach],
      egress: { allow: ['allowed.test:443'] },
    })
    assert.match(await bench.outputOf(task), /^HTTP\/1\.1 403/)
    await until('the event has come', () =>
      events.some(({ message }) => message === 'egress to denied.test:443 was refused'),
    )
    stream.cancel()
  })

  it('says to who asks for a command that is not there what is not there, and ends as a shell does', async () => {
    const task = shell('sleep 100')
    await bench.start(task)
    const stream = bench.host.client.duplex('ExecTaskStreaming')
    const answers: Message[] = []
    stream.on('data', answer => answers.push(answer as Message))
    const end = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject))
    stream.write({ setup: { task_id: task.id, command: ['no-such-program'], tty: false } })
    await end
    stream.end()
    const shown = answers.map(({ stderr }) => String((stderr as Message | null)?.data ?? '')).join('')
    assert.match(shown, /no-such-program.*no such program/)
    assert.deepEqual([answers.at(-1)?.exited, (answers.at(-1)?.result as Message).exit_code], [true, 127])
  })
})
