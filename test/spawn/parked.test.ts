import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parkedArguments } from '../../src/spawn/parked.ts'
import type { LaunchSpec } from '../../src/spawn/spec.ts'
import { eventually } from '../support/eventually.ts'
import { childrenOf } from '../support/held.ts'
import { processesOf } from '../support/leftovers.ts'
import { SpokenSpawner } from '../support/parked-shims.ts'
import { isLiving, statOf } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'
import { newTaskKey } from '../../src/task/task-id.ts'

const living = (pids: readonly number[]): number[] => pids.filter(pid => isLiving(statOf(pid)))
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
  }
}
/** Each with its PID 1. */
const withChildren = (pids: readonly number[]): number[] => pids.flatMap(pid => [pid, ...childrenOf(pid)])

describe('parked shims', function () {
  this.timeout(120_000)
  const spawners: SpokenSpawner[] = []
  const spawner = (parked: string, env?: NodeJS.ProcessEnv): SpokenSpawner => {
    const one = new SpokenSpawner(parked, env)
    spawners.push(one)
    return one
  }
  before(function () {
    requires(this, 'root', 'linux', 'native')
  })
  afterEach(async () => {
    for (const one of spawners.splice(0)) await one.close()
  })

  it('there are none for a spawner that starts nothing, or one thing', async () => {
    const one = spawner('4')
    await eventually(() => assert.equal(one.replies[0]?.kind, 'ready'))
    assert.deepEqual(childrenOf(one.pid), [])
    await one.run(1)
    // Each answer is a turn of its loop, in which one would have been made.
    for (let turn = 0; turn < 3; turn++) await one.turn()
    assert.deepEqual(childrenOf(one.pid), [])
  })

  it('there are as many as were started lately, less one, four at most; and none when told so', async () => {
    const [one, none] = [spawner('4'), spawner('0')]
    await one.run(2)
    await one.untilParked(1)
    await one.run(1)
    await one.untilParked(2)
    await one.run(5)
    await one.untilParked(4)
    await none.run(4)
    assert.deepEqual(childrenOf(none.pid), [])
  })

  it('a start fills one in, which is a shim from then on, and another is made', async () => {
    const one = spawner('1')
    await one.run(2)
    for (let round = 0; round < 3; round++) {
      const [waiting] = await one.untilParked(1)
      const { id } = one.send({ argv: ['sleep', '1000'], path: '/bin/sleep' })
      const { shim } = await one.until(id, 'started')
      assert.equal(shim.pid, waiting)
      assert.equal(statOf(shim.pid)?.name, 'holdfast-shim')
      const [next] = await one.untilParked(1)
      assert.notEqual(next, waiting)
      process.kill(shim.pid, 'SIGUSR2')
      await one.until(id, 'gone')
    }
  })

  // Also with secrets: they are decoded where they lie, and would be left in a socket's memory.
  const secret: Partial<LaunchSpec> = {
    namespaces: ['pid', 'mount'],
    root: [
      ...['/bin', '/sbin', '/lib', '/lib64', '/usr', '/dev']
        .filter(path => existsSync(path))
        .map(at => ({ op: 'bind', source: at, base: null, at, readOnly: true, devices: true }) as const),
      { op: 'secrets', at: '/secrets' },
    ],
    secrets: [{ name: 'key', bytes: Buffer.from('x') }],
  }
  const unfit: readonly (readonly [string, Partial<LaunchSpec>])[] = [
    ['has secrets', secret],
    ['has no processes of its own', { namespaces: [] }],
    ['is larger than what is handed over', { env: [`PATH=/usr/bin:/bin`, `LONG=${'x'.repeat(70_000)}`] }],
  ]
  for (const [title, spec] of unfit)
    it(`a start that ${title} goes the long way`, async () => {
      const one = spawner('2')
      await one.run(3)
      const waiting = await one.untilParked(2)
      const [shim] = await one.run(1, spec)
      assert.ok(shim !== undefined && !waiting.includes(shim))
      assert.deepEqual(one.parked, waiting)
    })

  it('they go when nothing has been started for a while, and the next start works', async () => {
    const one = spawner('4,1000')
    while (one.parked.length === 0) await one.run(1)
    await eventually(() => assert.deepEqual(childrenOf(one.pid), []))
    await one.run(1)
    await one.close()
    assert.equal(one.child.exitCode, 0)
  })

  it('they have gone before a spawner that ends, with the first processes of their namespaces', async () => {
    const one = spawner('4')
    await one.run(6)
    const all = withChildren(await one.untilParked(4))
    assert.equal(all.length, 8)
    await one.close()
    assert.deepEqual(living(all), [])
  })

  it('they go with a spawner that is killed', async () => {
    const one = spawner('4')
    await one.run(6)
    const all = withChildren(await one.untilParked(4))
    one.child.kill('SIGKILL')
    await once(one.child, 'exit')
    await eventually(() => assert.deepEqual(living(all), []))
  })

  const ends: readonly (readonly [string, (parked: number) => void])[] = [
    ['is killed', pid => process.kill(pid, 'SIGKILL')],
    ['is asked to end', pid => process.kill(pid, 'SIGTERM')],
    ['is stopped', pid => process.kill(pid, 'SIGSTOP')],
    ['loses its PID 1', pid => process.kill(childrenOf(pid)[0] as number, 'SIGKILL')],
  ]
  for (const [title, end] of ends)
    it(`one that ${title} is gone, and a start does without it`, async () => {
      const one = spawner('2')
      await one.run(3)
      const waiting = await one.untilParked(2)
      waiting.forEach(end)
      await eventually(() => assert.deepEqual(living(waiting), []))
      const [shim] = await one.run(1)
      assert.ok(shim !== undefined && !waiting.includes(shim))
    })

  it('a start in the moment in which one is killed is told, and never runs twice', async () => {
    const one = spawner('4')
    const key = newTaskKey()
    for (let round = 0; round < 25; round++) {
      // One that was killed makes the spawner forget what was started lately.
      while (one.parked.length === 0) await one.run(1)
      const waiting = one.parked
      const ran = join(one.launch().dir, '..', `ran-${round}`)
      const launch = one.launch({
        argv: ['sh', '-c', `echo ${key} >> ${ran}`],
      })
      if (round % 2 === 0) one.write(launch.frame)
      waiting.forEach(killIfThere)
      if (round % 2 === 1) one.write(launch.frame)
      await one.until(launch.id, 'gone')
      const [told] = one.replies.filter(reply => 'id' in reply && reply.id === launch.id)
      const times = existsSync(ran) ? readFileSync(ran, 'utf8').trim().split('\n').length : 0
      // Who is killed between exec and its word has told nobody that the program ran.
      assert.ok(times <= 1, `it ran ${times} times`)
      if (told?.kind === 'failed') assert.equal(told.stage, 'fork')
      else if (told?.kind === 'started' && !waiting.includes(told.shim.pid)) assert.equal(times, 1)
      else assert.equal(told?.kind, 'started')
    }
  })

  it('a spawner that is killed in the midst of starts leaves none that is neither there nor told', async () => {
    for (let round = 0; round < 8; round++) {
      const mark = newTaskKey()
      const one = spawner('4', { MARK: mark, PATH: '/usr/bin:/bin' })
      await one.run(5)
      await one.untilParked(4)
      const launches = Array.from({ length: 6 }, () => one.launch())
      const whole = Buffer.concat(launches.map(({ frame }) => frame))
      one.write(whole)
      if (round > 0) await sleep(round / 2)
      one.child.kill('SIGKILL')
      await once(one.child, 'exit')
      await eventually(() => assert.deepEqual(processesOf(mark), []))
      for (const { id, dir } of launches) {
        const started = one.replies.some(reply => reply.kind === 'started' && reply.id === id)
        if (started) assert.ok(existsSync(join(dir, 'exit.json')), `${id} was started, and has no end`)
        if (existsSync(join(dir, 'start.json'))) assert.ok(existsSync(join(dir, 'exit.json')))
      }
    }
  })

  it('none is made with a part of a request at hand', async () => {
    const one = spawner('1')
    await one.run(1)
    const [second, third] = [one.launch(), one.launch()]
    one.write(Buffer.concat([second.frame, third.frame.subarray(0, 20)]))
    await one.until(second.id, 'gone')
    await sleep(100)
    assert.deepEqual(childrenOf(one.pid), [])
    one.write(third.frame.subarray(20))
    await one.until(third.id, 'gone')
    await one.untilParked(1)
  })

  it('one that waits holds nothing of the host and nothing of the supervisor', async () => {
    const one = spawner('1')
    await one.run(2)
    const [waiting = 0] = await one.untilParked(1)
    const [init = 0] = childrenOf(waiting)
    const pipe = readlinkSync(`/proc/${one.pid}/fd/1`)
    for (const pid of [waiting, init]) {
      const links = readdirSync(`/proc/${pid}/fd`).map(fd => readlinkSync(`/proc/${pid}/fd/${fd}`))
      assert.ok(!links.includes(pipe))
      const others = links.filter(
        link => !/^(socket:\[\d+\]|anon_inode:\[(signalfd|eventfd)\]|\/)$/.test(link),
      )
      assert.deepEqual(others, [])
      assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/')
      assert.equal(readlinkSync(`/proc/${pid}/root`), '/')
    }
    // No copy of the host's mounts: what is unmounted there is unmounted for good.
    assert.equal(readlinkSync(`/proc/${waiting}/ns/mnt`), readlinkSync(`/proc/${one.pid}/ns/mnt`))
    assert.equal(readFileSync(`/proc/${init}/mountinfo`, 'utf8').trim().split('\n').length, 1)
  })

  it('takes a count, and milliseconds, and says what it takes', () => {
    assert.deepEqual(parkedArguments(undefined), [])
    assert.deepEqual(parkedArguments('2,500'), ['parked=2,500'])
    for (const bad of ['5', '-1', '1,', '1,0', 'four'])
      assert.throws(() => parkedArguments(bad), { code: 'INVALID_ARGUMENT', message: /HOLDFAST_PARKED: got/ })
  })
})
