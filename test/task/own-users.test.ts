import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LaunchSpec } from '../../src/spawn/spec.ts'
import { type Claim, parseClaim } from '../../src/task/own-users/claim.ts'
import { deviceOf, whyHeld } from '../../src/task/own-users/evidence.ts'
import { giveBack, OwnUsers, recordOwnUserPlaces } from '../../src/task/own-users/own-users.ts'
import { Registry } from '../../src/task/own-users/registry.ts'
import { currentBootId } from '../../src/spawn/process-table.ts'
import { compiled } from '../support/compiled.ts'
import { minimalSpec } from '../support/launch-spec.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const first = 1_879_200_000
const isolated: LaunchSpec = {
  ...minimalSpec,
  namespaces: ['ipc'],
  seccomp: true,
  stdout: { base: null, path: '/dev/null' },
}

describe('numbers of users that are one task’s each', () => {
  let stateDir: string
  let path: string
  let registry: Registry
  beforeEach(() => {
    stateDir = temporaryDirectory('own-users')
    path = join(stateDir, 'users')
    registry = new Registry(path)
  })
  afterEach(() => removeTemporary(stateDir))

  const users = (count: number) => new OwnUsers({ first, count, registry: path })
  const claim = (over: Partial<Claim> = {}): Claim => ({
    ...{ stateDir, key: 'k', device: deviceOf(stateDir), by: { pid: 2 ** 22 + 1, startTime: 0 } },
    ...{ bootId: currentBootId(), isRemoved: true, places: [], lingers: false },
    ...over,
  })
  const record = (key: string) => mkdirSync(join(stateDir, 'tasks', key), { recursive: true })
  const asRootOnly = (context: Mocha.Context) => requires(context, 'root', 'linux')

  describe('the registry', () => {
    it('replaces what has been seen, and not what has been replaced since', () => {
      registry.prepare()
      assert.deepEqual(registry.read(first), { generation: -1, claim: null })
      assert.equal(registry.replace(first, -1, claim()), true)
      assert.equal(registry.replace(first, -1, claim({ key: 'other' })), false)
      assert.deepEqual(registry.read(first), { generation: 0, claim: claim() })
      assert.equal(registry.replace(first, 0, null), true)
      assert.deepEqual(registry.read(first), { generation: 1, claim: null })
    })

    it('refuses who has seen it two changes ago, when the name of the change is free again', () => {
      registry.prepare()
      registry.replace(first, -1, claim())
      registry.replace(first, 0, null)
      registry.replace(first, 1, claim({ key: 'new' }))
      assert.deepEqual(readdirSync(join(path, String(first))), ['2'])
      assert.equal(registry.replace(first, 0, claim({ key: 'late' })), false)
      assert.deepEqual(readdirSync(join(path, String(first))), ['2'])
      assert.equal((registry.read(first).claim as Claim).key, 'new')
    })

    it('is refused where somebody else may write in it', function () {
      asRootOnly(this)
      registry.prepare()
      chmodSync(path, 0o777)
      assert.throws(() => registry.prepare(), { code: 'PERMISSION' })
      chmodSync(path, 0o700)
      chownSync(path, 12345, 0)
      assert.throws(() => registry.prepare(), { code: 'PERMISSION' })
    })

    it('follows no link, and takes what it cannot read for somebody’s', async () => {
      registry.prepare()
      mkdirSync(join(path, String(first)))
      for (const [index, text] of ['/etc/passwd', '{"key":1}', '{'].entries()) {
        symlinkSync(text, join(path, String(first), String(index)))
        assert.equal(registry.read(first).claim, 'unreadable')
        await assert.rejects(users(1).claim({ stateDir, key: 'k' }), { code: 'UNSUPPORTED' })
      }
    })
  })

  it('parseClaim() takes what was written, and nothing else', () => {
    assert.deepEqual(parseClaim(JSON.stringify(claim())), claim())
    assert.equal(parseClaim(JSON.stringify({ ...claim(), places: [{ path: 5 }] })), 'unreadable')
  })

  describe('a claim', () => {
    it('is nobody else’s while the task is recorded, though its supervisor has died', async () => {
      registry.prepare()
      record('k')
      registry.replace(first, -1, claim({ isRemoved: false }))
      await assert.rejects(users(1).claim({ stateDir, key: 'other' }), {
        code: 'UNSUPPORTED',
        message: /all 1 numbers from 1879200000 on are given out .*its task is recorded/,
      })
      rmSync(join(stateDir, 'tasks', 'k'), { recursive: true })
      mkdirSync(join(stateDir, 'allocs', 'k'), { recursive: true })
      await assert.rejects(users(1).claim({ stateDir, key: 'other' }), { code: 'UNSUPPORTED' })
      rmSync(join(stateDir, 'allocs', 'k'), { recursive: true })
      assert.equal((await users(1).claim({ stateDir, key: 'other' })).number, first)
    })

    it('is nobody else’s before the task is recorded, while who starts it lives', async () => {
      const own = await users(1).claim({ stateDir, key: 'k' })
      recordOwnUserPlaces(own, { stateDir, key: 'k' }, isolated)
      await assert.rejects(users(1).claim({ stateDir, key: 'other' }), {
        code: 'UNSUPPORTED',
        message: /process \d+ starts its task/,
      })
    })

    it('is given back when its task is removed, and only by its own task', async () => {
      const own = await users(1).claim({ stateDir, key: 'k' })
      giveBack(own, { stateDir, key: 'another' })
      assert.notEqual(registry.read(first).claim, null)
      giveBack(own, { stateDir, key: 'k' })
      assert.equal(registry.read(first).claim, null)
      giveBack(own, { stateDir, key: 'k' })
      assert.equal(registry.read(first).generation, 1)
    })

    it('cannot be settled by who has lost it', async () => {
      const own = await users(1).claim({ stateDir, key: 'k' })
      registry.replace(first, registry.read(first).generation, claim({ key: 'thief' }))
      assert.throws(() => recordOwnUserPlaces(own, { stateDir, key: 'k' }, isolated), {
        code: 'STATE_CORRUPT',
      })
    })

    it('is held by files in what the task shared, whatever their names, and by nothing else there', function () {
      asRootOnly(this)
      const shared = join(stateDir, 'shared')
      mkdirSync(join(shared, 'a', 'b'), { recursive: true })
      writeFileSync(join(shared, 'a', 'others'), '')
      const held = () => whyHeld(first, claim({ places: [{ path: shared, device: deviceOf(shared) }] }))
      assert.equal(held(), null)
      const left = Buffer.concat([Buffer.from(join(shared, 'a', 'b', 'x')), Buffer.from([0xff])])
      writeFileSync(left, '')
      chownSync(left, first, 0)
      assert.match(held() ?? '', /files of it are in .*shared/)
      chownSync(left, 0, first)
      assert.match(held() ?? '', /files of it are in .*shared/)
      rmSync(left)
      assert.equal(held(), null)
      rmSync(shared, { recursive: true })
      assert.equal(held(), null)
    })

    it('is held where a file system is not mounted: nobody knows what is on it', () => {
      const path = join(stateDir, 'gone')
      const device = deviceOf(stateDir)
      assert.equal(whyHeld(first, claim({ places: [{ path, device }] })), null)
      assert.match(whyHeld(first, claim({ places: [{ path, device: device + 1 }] })) ?? '', /is another/)
      assert.match(whyHeld(first, claim({ device: device + 1 })) ?? '', /is another/)
    })

    it('is held until the next boot where the task could reach keys or IPC objects of the host', () => {
      assert.match(whyHeld(first, claim({ lingers: true })) ?? '', /until the next boot/)
      assert.equal(whyHeld(first, claim({ lingers: true, bootId: 'another' })), null)
    })

    it('is held by a process that runs as it, dumpable or not', async function () {
      asRootOnly(this)
      const child = spawn('/bin/sleep', ['60'], { uid: first, gid: first, stdio: 'ignore' })
      try {
        await new Promise(resolve => child.once('spawn', resolve))
        assert.match(whyHeld(first, claim()) ?? '', /process \d+ runs as it/)
        assert.equal(whyHeld(first + 1, claim()), null)
      } finally {
        await ended(child)
      }
    })
  })

  it('an account or a range of subordinate numbers has its number to itself', async function () {
    asRootOnly(this)
    // root's group has it on every host.
    const zero = new OwnUsers({ first: 0, count: 1, registry: path })
    await assert.rejects(zero.claim({ stateDir, key: 'k' }), { message: /an account of this host has it/ })
  })

  it('four processes at once are given a hundred numbers, each one once; killed, they hold none', async function () {
    asRootOnly(this)
    this.timeout(60_000)
    const claimants = [1, 2, 3, 4].map(() =>
      spawn(
        process.execPath,
        [compiled('test/fixtures/programs/claim.ts'), stateDir, `${first}`, '100', path, '25'],
        {
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      ),
    )
    try {
      const given = (await Promise.all(claimants.map(untilDone))).flat()
      assert.equal(given.length, 100)
      assert.equal(new Set(given).size, 100)
      await assert.rejects(users(100).claim({ stateDir, key: 'k' }), { code: 'UNSUPPORTED' })
    } finally {
      for (const claimant of claimants) await ended(claimant)
    }
    const { number } = await users(100).claim({ stateDir, key: 'k' })
    assert.ok(number >= first && number < first + 100)
  })
})

async function untilDone({ stdout }: ChildProcess): Promise<string[]> {
  let text = ''
  for await (const chunk of (stdout ?? []) as AsyncIterable<Buffer>) {
    text += chunk.toString()
    if (text.endsWith('done\n')) break
  }
  return text.split('\n').filter(line => /^\d+$/.test(line))
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}
