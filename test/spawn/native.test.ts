import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { constants as os } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import fc from 'fast-check'
import {
  type EnforcedRecord,
  enforcedRecord,
  type ExitRecord,
  type StartRecord,
} from '../../machines/index.ts'
import { identify } from '../../src/spawn/process-table.ts'
import type { LaunchSpec, MountOp } from '../../src/spawn/spec.ts'
import { encodeLaunch, parseReply, type Reply } from '../../src/spawn/wire.ts'
import { eventually } from '../support/eventually.ts'
import { minimalSpec, everyOption, launchFields } from '../support/launch-spec.ts'
import { parkedOf } from '../support/parked-shims.ts'
import { requireSanitized, sanitizedProgram } from '../support/sanitized.ts'
import { temporaryDirectory } from '../support/temporary.ts'

/**
 * Another architecture's, in a machine or under an emulator: without sanitizers, which its compiler may lack.
 */
const given = process.env.HOLDFAST_TEST_NATIVE
const program = given ?? sanitizedProgram
/** By qemu's user-mode emulator (test/arm64/run). */
const emulated = process.env.HOLDFAST_TEST_EMULATOR !== undefined
const nobody = 65534

/** A program that ends at once. */
const minimal: LaunchSpec = {
  ...minimalSpec,
  argv: ['sh', '-c', 'exit 0'],
  env: ['PATH=/usr/bin:/bin'],
  stdout: { base: null, path: '/dev/null' },
  stderr: { base: null, path: '/dev/null' },
  graceMs: 1000,
}

const folders = ['/bin', '/sbin', '/lib', '/lib64', '/usr', '/etc'].filter(path => existsSync(path))
const root: MountOp[] = [
  ...folders.map(
    path => ({ op: 'bind', source: path, base: null, at: path, readOnly: true, devices: false }) as const,
  ),
  { op: 'tmpfs', at: '/tmp', sizeBytes: 1 << 20, mode: 0o1777 },
  { op: 'dir', at: '/dev', mode: 0o755 },
  { op: 'node', at: '/dev/null', major: 1, minor: 3 },
  { op: 'pts', at: '/dev/pts', gid: 5 },
  { op: 'file', at: '/etc/hosts', source: '/etc/hosts', text: '127.0.1.1 task\n' },
  { op: 'symlink', to: '/proc/self/fd', at: '/dev/fd' },
  { op: 'proc', at: '/proc' },
  { op: 'mask', at: '/proc/kcore' },
  { op: 'mask', at: '/proc/acpi' },
  { op: 'readonly', at: '/proc/sys' },
]

/** The first ones made once, in an order and with places that the others can do with. */
const sharedRoot: MountOp[] = [
  ...root.filter(({ op }) => op === 'bind' || op === 'dir' || op === 'node' || op === 'symlink'),
  { op: 'dir', at: '/tmp', mode: 0o755 },
  { op: 'dir', at: '/proc', mode: 0o755 },
]
const ownRoot = root.filter(({ op }) => op === 'tmpfs' || op === 'proc' || op === 'mask' || op === 'readonly')

const isolated: Omit<LaunchSpec, 'dir'> = {
  ...minimal,
  credentials: { uid: nobody, gid: nobody, groups: [] },
  rlimits: [{ name: 'nofile', soft: 64, hard: 64 }],
  namespaces: ['mount', 'pid', 'ipc', 'uts', 'network'],
  hostname: 'task',
  root,
  capabilities: [],
  seccomp: true,
}

const full: LaunchSpec = {
  ...minimal,
  ...isolated,
  credentials: { uid: 1, gid: 2, groups: [3, 4] },
  stdout: { base: '/logs', path: 'web.stdout' },
  stderr: { base: null, path: 'fd:2' },
  donor: { pid: 7, startTime: 8 },
  logRotation: { maxBytes: 4096, maxFiles: 100 },
  plainLogs: ['stdout', 'stderr'],
  nice: 5,
  oomScoreAdj: 100,
  wallTimeMs: 1000,
  outputBytes: 4096,
  cgroups: [
    {
      dir: '/sys/fs/cgroup/a/b',
      files: [
        { name: 'pids.max', value: '5' },
        { name: '?x', value: '' },
      ],
    },
  ],
  oomFile: '/sys/fs/cgroup/a/b/memory.events',
  lifeline: '/state/supervisors/1-a',
  freezer: '/sys/fs/cgroup/a/b',
  capabilities: [0, 7, 40],
  landlock: {
    rules: [
      { at: '/', access: 'list' },
      { at: '/local', access: 'write' },
    ],
    scopes: ['signal', 'abstract'],
  },
}

describe(`native program ${given === undefined ? 'under the address and undefined behaviour sanitizers' : 'of the package'}`, function () {
  this.timeout(120_000)
  let reports: string

  before(function () {
    if (process.platform !== 'linux') this.skip()
    reports = temporaryDirectory('asan')
    if (given !== undefined) return
    requireSanitized(this)
  })

  afterEach(() => {
    if (reports !== undefined) assert.deepEqual(readReports(reports), [])
  })

  describe('donate', () => {
    const donate = (...args: string[]) =>
      spawnSync(program, ['donate', ...args], { encoding: 'utf8', env: sanitizerEnvironment(reports) })

    it('refuses what is no process, no start time or no descriptor', () => {
      for (const args of [
        ['0', '1', '1'],
        ['1', 'x', '1'],
        ['1', '1', '-1'],
      ])
        assert.deepEqual([donate(...args).status, donate(...args).stdout], [2, ''])
    })

    it('goes nowhere for a reused pid, and says so on the descriptor it was given', () => {
      const { status, stdout } = donate(`${process.pid}`, '1', '1')
      assert.deepEqual([status, stdout], [1, `failed ${os.errno.ESRCH} the spawner\n`])
    })

    it('enters no user namespace that is its own already', () => {
      const { startTime } = identify(process.pid) ?? { startTime: 0 }
      const { status, stdout } = donate(`${process.pid}`, `${startTime}`, '1')
      assert.deepEqual([status, stdout], [1, `failed ${os.errno.EINVAL} setns user\n`])
    })
  })

  describe('probe', () => {
    for (const way of [[], ['rootless']])
      it(`tries everything and tells each errno, in children of its own (${way.join('') || 'as it stands'})`, function () {
        const { stdout, status } = spawnSync(program, ['probe', ...way], {
          encoding: 'utf8',
          env: sanitizerEnvironment(reports),
        })
        assert.equal(status, 0)
        const found = JSON.parse(stdout) as Record<string, unknown>
        if (found.user !== 0) {
          // Its own answer where the host refuses: nothing else was tried.
          assert.deepEqual(Object.keys(found), ['user', 'step'])
          return
        }
        const tried = ['user', 'mount', 'pid', 'ipc', 'uts', 'cgroup', 'network', 'root', 'proc']
        // Which ids are mapped is a word, not an errno.
        assert.deepEqual(Object.keys(found).sort(), [...tried, 'ids', 'mountSetattr'].sort())
        assert.ok(['all', 'own', 'none'].includes(String(found.ids)))
        if (process.geteuid?.() === 0)
          assert.deepEqual(
            tried.filter(name => found[name] !== 0),
            [],
          )
      })
  })

  describe('check', () => {
    it('accepts what wire.ts encodes', () => {
      assert.deepEqual(check(reports, [encodeLaunch(1, minimal), encodeLaunch(2 ** 31 - 1, full)]), [
        'ok',
        'ok',
      ])
    })

    it('refuses an unknown name, a missing operand, a number that is none and a second dir, and goes on', () => {
      const wrong = [
        ['launch', '1', 'color', 'red'],
        ['launch', '1', 'dir'],
        ['launch', '1', 'rlimit', 'cpu', '1'],
        ['launch', '1', 'wall', '1s'],
        ['launch', '1', 'lifeline', 'relative'],
        ['launch', '1', 'lifeline', '/a', 'lifeline', '/b'],
        ['launch', '1', 'wall', '99999999999999999999'],
        ['launch', '1', 'dir', '/a', 'dir', '/b'],
        ['launch', '0', 'dir', '/a'],
        ['launch', '2147483648', 'dir', '/a'],
        ['dance', '1', 'dir', '/a'],
        ['launch', '1', 'root-bind', '', '/a', '/b/../../c', ''],
        ['launch', '1', 'root-bind', '/base', '/elsewhere', '/a', ''],
        ['launch', '1', 'root-entries', 'a', '/b'],
        ['launch', '1', 'root-entries', '/a', '/b/../c'],
        ['launch', '1', 'root-overlay', 'a', '/b', '/c'],
        ['launch', '1', 'root-overlay', '/a', '/b/../c', '/c'],
        ['launch', '1', 'root-shared'],
        ['launch', '1', 'root-proc', '/proc', 'root-shared'],
        ['launch', '1', 'root-bind', '', '/a', '/b', '', 'root-shared'],
        ['launch', '1', 'root-bind', '/a', '/a/c', '/b', 'ro', 'root-shared'],
        ['launch', '1', 'cgroup-file', 'pids.max', '5'],
        ['launch', '1', 'capabilities', '64'],
        ['launch', '1', 'landlock', '/a/../b', 'read'],
        ['launch', '1', 'landlock', '/a', 'everything'],
        ['launch', '1', 'landlock-scope', 'network'],
        ['launch'],
      ]
      const answers = check(reports, [
        ...wrong.map(fields => frame(`${fields.join('\0')}\0`)),
        encodeLaunch(1, minimal),
      ])
      assert.deepEqual(
        answers.slice(0, -1).filter(answer => !/^bad .+/.test(answer)),
        [],
      )
      assert.equal(answers.length, wrong.length + 1)
      assert.equal(answers.at(-1), 'ok')
    })

    it('refuses a launch that leaves out what has no default', () => {
      const needed = ['dir', 'path', 'arg', 'grace'].map(name => [name, `bad ${name} is missing`] as const)
      const without = (name: string) => {
        const fields = launchFields({ ...minimal, argv: ['sh'] })
        fields.splice(fields.indexOf(name), 2)
        return frame(`${fields.join('\0')}\0`)
      }
      assert.deepEqual(check(reports, [...needed.map(([name]) => without(name)), without('durable')]), [
        ...needed.map(([, answer]) => answer),
        'ok',
      ])
    })

    it('refuses secrets that are no files, not bytes, too large, without a place or amid other options', () => {
      const place = ['namespace', 'mount', 'root-secrets', '/secrets']
      const refused: readonly (readonly [fields: readonly string[], answer: string])[] = [
        [[...place, 'secret', 'a', '00ff'], 'ok'],
        [[...place, 'secret', 'a', '', 'secret', 'a b', '0a'], 'ok'],
        [[...place, 'secret', 'a/b', '00'], 'bad secret takes the name of a file'],
        [[...place, 'secret', '..', '00'], 'bad secret takes the name of a file'],
        [[...place, 'secret', 'a', '0'], 'bad secret takes bytes in lower-case hexadecimal digits'],
        [[...place, 'secret', 'a', '0A'], 'bad secret takes bytes in lower-case hexadecimal digits'],
        [[...place, 'secret', 'a', '00', 'nice', '1'], 'bad secret comes before another option'],
        [
          [...place, 'secret', 'a', '00'.repeat((4 << 20) + 1)],
          'bad all secrets together take 4 MiB at most',
        ],
        [['secret', 'a', '00'], 'bad secret without root-secrets'],
      ]
      const frames = refused.map(([fields]) => frame([...launchFields(minimal), ...fields, ''].join('\0')))
      assert.deepEqual(
        check(reports, frames),
        refused.map(([, answer]) => answer),
      )
    })

    it('takes two maps for any binds, and refuses a third, a second one of a bind, and one of no bind', () => {
      const bind = (at: string) => ['root-bind', '', at, at, '']
      const mapTo = (user: string) => ['root-map', '0', '0', user, '1']
      const map = mapTo('1')
      const same = ['/a', '/b', '/c', '/d'].flatMap(at => [...bind(at), ...map])
      const mapped = [...same, ...bind('/e'), ...mapTo('2')]
      const refused: readonly (readonly [fields: readonly string[], answer: string])[] = [
        [mapped, 'ok'],
        [[...mapped, ...bind('/f'), ...mapTo('2'), ...bind('/g'), ...map], 'ok'],
        [[...mapped, ...bind('/f'), ...mapTo('3')], 'bad root-map takes two maps at most'],
        [[...bind('/a'), ...map, ...map], 'bad root-map comes once after a root-bind or a root-overlay'],
        [['root-dir', '/a', '755', ...map], 'bad root-map comes once after a root-bind or a root-overlay'],
      ]
      const place = ['namespace', 'mount']
      const frames = refused.map(([fields]) =>
        frame([...launchFields(minimal), ...place, ...fields, ''].join('\0')),
      )
      assert.deepEqual(
        check(reports, frames),
        refused.map(([, answer]) => answer),
      )
    })

    it('refuses what would act on the host for want of a namespace', () => {
      const answers = check(reports, [
        encodeLaunch(1, { ...full, namespaces: ['uts'] }),
        encodeLaunch(1, { ...full, namespaces: ['mount'] }),
      ])
      assert.deepEqual(answers, ['bad root-* without namespace mount', 'bad hostname without namespace uts'])
    })

    it('answers every random frame, whatever it holds', () => {
      const names = [...new Set([full, ...everyOption].flatMap(spec => launchFields(spec)))]
      const field = fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...names) },
        { weight: 1, arbitrary: fc.string() },
      )
      const fields = fc.array(field).map(list => Buffer.from(['launch', '1', ...list, ''].join('\0')))
      const bytes = fc.oneof(
        fields,
        fc.uint8Array({ minLength: 1, maxLength: 300 }).map(list => Buffer.from(list)),
      )
      fc.assert(
        fc.property(fc.array(bytes, { minLength: 50, maxLength: 200 }), bodies => {
          const answers = check(reports, bodies.map(frame))
          assert.equal(answers.length, bodies.length)
          assert.ok(answers.every(answer => answer === 'ok' || answer.startsWith('bad ')))
        }),
        { numRuns: 15 },
      )
    })

    it('answers every mutated frame', () => {
      const valid = Buffer.from(encodeLaunch(1, full)).subarray(4)
      const change = fc.tuple(fc.nat(valid.length - 1), fc.constantFrom(0, 0, 45, 47, 48, 57, 255))
      const mutated = fc.array(change, { minLength: 1, maxLength: 5 }).map(changes => {
        const copy = Buffer.from(valid)
        for (const [at, byte] of changes) copy[at] = byte
        return copy
      })
      fc.assert(
        fc.property(fc.array(mutated, { minLength: 50, maxLength: 200 }), bodies => {
          assert.equal(check(reports, bodies.map(frame)).length, bodies.length)
        }),
        { numRuns: 15 },
      )
    })

    it('says that a truncated frame is none', () => {
      const valid = Buffer.from(encodeLaunch(1, full))
      const lengths = [1, 3, 4, 5, 100, valid.length - 1]
      for (const length of lengths)
        assert.deepEqual(check(reports, [valid.subarray(0, length)], 2), ['bad frame'])
    })

    it('says that an impossible length is no frame', () => {
      for (const length of [0, 64 * 1024 * 1024 + 1, 0xffffffff]) {
        const header = Buffer.alloc(8)
        header.writeUInt32LE(length)
        assert.deepEqual(check(reports, [header], 2), ['bad frame'])
      }
    })
  })

  if (emulated)
    it('says of a task under user-mode emulation which step has no emulation, and lives on', async () => {
      const spawner = await Spawner.start(reports)
      const failed = { kind: 'failed', stage: 'fork', errno: os.errno.EINVAL, detail: 'subreaper' }
      for (const id of [1, 2]) assert.deepEqual(await spawner.refused({}), { ...failed, id })
      assert.equal(await spawner.close(), 0)
    })

  describe('spawner', () => {
    let spawner: Spawner

    before(function () {
      if (!emulated) return
      process.stdout.write(
        '      SKIPPED tasks: qemu-user makes no subreaper (npm run test:arm64 has them)\n',
      )
      this.skip()
    })

    beforeEach(async () => {
      spawner = await Spawner.start(reports)
    })

    afterEach(async () => {
      assert.equal(await spawner?.close(), 0)
    })

    it('runs a program and records its exit', async () => {
      const { replies, exit, start } = await spawner.run({ argv: ['sh', '-c', 'exit 3'] })
      assert.deepEqual(
        replies.map(reply => reply.kind),
        ['started', 'ended', 'gone'],
      )
      assert.equal(exit.exitCode, 3)
      assert.equal(exit.signal, null)
      assert.equal(exit.failure, null)
      assert.deepEqual(exit.survivors, [])
      assert.ok(exit.startedAt === start?.startedAt && exit.exitedAt >= start.startedAt)
    })

    it('records before exec what the kernel says is in force', async function () {
      if (process.getuid?.() !== 0) this.skip()
      let record: EnforcedRecord | undefined
      await spawner.run({ ...isolated, path: '/bin/true', argv: ['true'] }, dir => {
        record = readJson(join(dir, 'enforced.json'))
      })
      assert.equal(enforcedRecord.fault(record), null)
      assert.ok(record)
      const { status, namespaces } = record.task
      assert.deepEqual(
        [status.Uid, status.CapEff, status.CapBnd, status.NoNewPrivs, status.Seccomp],
        [Array(4).fill(nobody).join('\t'), '0'.repeat(16), '0'.repeat(16), '1', '2'],
      )
      for (const name of ['mnt', 'pid', 'ipc', 'uts', 'net'] as const)
        assert.ok(namespaces[name] && namespaces[name] !== record.shim.namespaces[name], name)
      assert.equal(namespaces.cgroup, record.shim.namespaces.cgroup)
      assert.notEqual(record.task.root, record.shim.root)
      assert.match(record.limits ?? '', /^Max open files +64 +64 /m)
    })

    it('says which step failed for a missing program, and records it', async () => {
      const { replies, exit } = await spawner.run({ path: '/no/such' })
      assert.deepEqual(
        replies.map(reply => reply.kind),
        ['failed', 'gone'],
      )
      assert.deepEqual(exit.failure, { stage: 'exec', errno: 2, detail: '/no/such' })
      assert.equal(exit.exitCode, null)
    })

    it('kills the tree on a kill through the control FIFO', async () => {
      const { exit } = await spawner.run(
        { argv: ['sh', '-c', 'trap "" TERM; sleep 60 & sleep 60; sleep 60'] },
        dir => order(dir, 'kill\n'),
      )
      assert.equal(exit.signal, 9)
      assert.equal(exit.stop?.reason, 'force')
      assert.deepEqual(exit.survivors, [])
    })

    it('kills what is refused after its start, and records why', async () => {
      const why = 'strict: pids (the kernel says otherwise: pids.max max)'
      const { replies, exit } = await spawner.run({ argv: ['sleep', '60'], path: '/bin/sleep' }, dir =>
        order(dir, `refuse\nrefuse us now\nrefuse limit\nrefuse limit ${why}\nrefuse isolation later\n`),
      )
      assert.deepEqual(exit.failure, { stage: 'limit', errno: 0, detail: why })
      // It was told as started: it is not told as failed as well.
      assert.deepEqual(
        replies.map(reply => reply.kind),
        ['started', 'ended', 'gone'],
      )
      assert.deepEqual([exit.exitCode, exit.signal, exit.survivors], [null, null, []])
    })

    it('survives rubbish on the control FIFO and obeys what follows it', async () => {
      const rubbish = `${'x'.repeat(700)}\nsignal 0\nsignal 65\nstop 15\nstop 15 5 tree\nkill leader\nstop 15 -1\n\0kill\nkill me\n`
      const { exit } = await spawner.run({ argv: ['sleep', '60'], path: '/bin/sleep' }, dir => {
        order(dir, rubbish)
        order(dir, 'stop 10 ')
        order(dir, '60000\n')
      })
      assert.equal(exit.signal, 10)
      assert.equal(exit.stop?.reason, 'shutdown')
      assert.equal(exit.stop?.forcedAt, null)
    })

    it('kills the tree when nobody holds the FIFO of its owner any more', async () => {
      const owner = join(temporaryDirectory('owner'), 'fifo')
      assert.equal(spawnSync('mkfifo', [owner]).status, 0)
      const held = openSync(owner, constants.O_RDWR | constants.O_NONBLOCK)
      const { exit } = await spawner.run(
        { lifeline: owner, argv: ['sh', '-c', 'trap "" TERM; setsid sleep 60 & sleep 60; sleep 60'] },
        () => closeSync(held),
      )
      assert.deepEqual([exit.signal, exit.stop?.reason, exit.stop?.signal], [9, 'orphaned', 9])
      assert.ok(exit.stop?.forcedAt)
      assert.deepEqual(exit.survivors, [])
      for (const path of [owner, `${owner}-that-is-gone`]) {
        const { replies, exit: refused } = await spawner.run({ lifeline: path })
        assert.deepEqual(
          replies.map(reply => reply.kind),
          ['failed', 'gone'],
        )
        assert.deepEqual([refused.failure?.stage, refused.startedAt], ['fork', null])
      }
    })

    it('rotates logs, whatever lies in the way', async () => {
      const logs = temporaryDirectory('rotation')
      mkdirSync(join(logs, 'err.2'))
      const { exit } = await spawner.run({
        argv: ['sh', '-c', 'seq 1 5000; seq 1 5000 >&2'],
        stdout: { base: logs, path: 'out' },
        stderr: { base: null, path: join(logs, 'err') },
        logRotation: { maxBytes: 4096, maxFiles: 3 },
      })
      assert.deepEqual([exit.exitCode, exit.logsComplete], [0, false])
      const text = ['out.2', 'out.1', 'out'].map(name => readFileSync(join(logs, name), 'utf8')).join('')
      assert.ok(text.length > 8192 && text.endsWith('\n4999\n5000\n'))
      assert.deepEqual(readdirSync(logs).sort(), ['err', 'err.1', 'err.2', 'out', 'out.1', 'out.2'])
    })

    it('numbers logs upwards, and carries what goes to a FIFO', async () => {
      const logs = temporaryDirectory('numbered')
      symlinkSync('/dev/null', join(logs, 'out.7'))
      const rotated = await spawner.run({
        argv: ['sh', '-c', 'seq 1 5000; seq 1 5000 >&2'],
        stdout: { base: logs, path: 'out' },
        stderr: { base: null, path: join(logs, 'err') },
        logRotation: { maxBytes: 4096, maxFiles: 3, numbering: 'increment' },
      })
      assert.equal(rotated.exit.exitCode, 0)
      const names = ['.out.7.planted', 'err.3', 'err.4', 'err.5', 'out.3', 'out.4', 'out.5']
      assert.deepEqual(readdirSync(logs).sort(), names)
      const fifo = join(logs, 'fifo')
      execFileSync('mkfifo', ['-m', '600', fifo])
      const collector = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] })
      const text = collector.stdout.toArray()
      const { exit } = await spawner.run({
        argv: ['sh', '-c', 'seq 1 50000'],
        stdout: { base: null, path: fifo },
        collected: true,
      })
      assert.deepEqual([exit.exitCode, exit.logsComplete], [0, true])
      assert.ok(
        Buffer.concat((await text) as Buffer[])
          .toString()
          .endsWith('\n49999\n50000\n'),
      )
    })

    it('takes many requests at once', async () => {
      const runs = Array.from({ length: 20 }, (_, code) =>
        spawner.run({ argv: ['sh', '-c', `exit ${code}`] }),
      )
      const exits = (await Promise.all(runs)).map(({ exit }) => exit.exitCode)
      assert.deepEqual(exits, [...exits.keys()])
    })

    it('refuses a bad request and lives on', async () => {
      const refused = await spawner.request(frame('launch\0' + '9999\0' + 'nonsense\0'), 9999)
      assert.equal(refused.kind === 'failed' && refused.stage, 'request')
      assert.equal((await spawner.run({})).exit.exitCode, 0)
    })

    it('runs an isolated program as root', async function () {
      if (process.getuid?.() !== 0) {
        console.warn('    skipped: isolation needs root')
        this.skip()
      }
      const script =
        'test "$(id -u)" = 65534 && test "$(hostname)" = task && test ! -e /root && ! touch /usr/x 2>/dev/null && exit 4'
      const { exit, start } = await spawner.run({ ...isolated, argv: ['sh', '-c', script] })
      assert.deepEqual([exit.failure, exit.exitCode], [null, 4])
      assert.ok(start !== null && start.init !== null)
    })

    it('fills in shims that were made before, as many as there are, and goes without where there is none', async function () {
      if (process.getuid?.() !== 0) this.skip()
      for (let start = 0; start < 5; start++) await spawner.run(isolated)
      await eventually(() => assert.equal(parkedOf(spawner.pid).length, 4))
      const parked = parkedOf(spawner.pid)
      const runs = await Promise.all(
        Array.from({ length: 8 }, () => spawner.run({ ...isolated, rootShared: 0 })),
      )
      for (const { exit } of runs) assert.deepEqual([exit.exitCode, exit.failure], [0, null])
      const filled = runs.filter(({ start }) => parked.includes(start?.shim.pid ?? 0))
      assert.equal(filled.length, 4)
      await eventually(() => assert.equal(parkedOf(spawner.pid).length, 4))
    })

    it('puts shared mounts together once, read-only for ever, for tasks without capabilities', async function () {
      if (process.getuid?.() !== 0) {
        console.warn('    skipped: isolation needs root')
        this.skip()
      }
      // The device number of the root tells one file system from another.
      const script =
        'touch /x 2>/dev/null && exit 1; touch /tmp/x && test ! -s /proc/kcore && exit $(($(stat -c %d /) % 199 + 2))'
      const shared = { ...isolated, root: [...sharedRoot, ...ownRoot], rootShared: sharedRoot.length }
      const argv = ['sh', '-c', script]
      const code = async (spec: Partial<LaunchSpec>) => (await spawner.run({ ...spec, argv })).exit.exitCode
      const first = await code(shared)
      assert.ok(first !== null && first > 1, `${first}`)
      assert.equal(await code(shared), first)
      const others = await Promise.all([
        code({ ...shared, capabilities: [5] }),
        code({ ...shared, rootShared: 0 }),
      ])
      assert.ok(!others.includes(first) && !others.includes(1), others.join())
    })

    it('goes on when what is shared cannot be made, and says so of the one task that wants it', async function () {
      if (process.getuid?.() !== 0) this.skip()
      const absent = {
        op: 'bind',
        source: '/nowhere',
        base: null,
        at: '/x',
        readOnly: true,
        devices: false,
      } as const
      const { exit } = await spawner.run({
        ...isolated,
        root: [absent, ...sharedRoot, ...ownRoot],
        rootShared: 1,
      })
      assert.deepEqual([exit.failure?.stage, exit.failure?.detail], ['mount', '/nowhere'])
      assert.equal((await spawner.run({ ...isolated, argv: ['sh', '-c', 'exit 4'] })).exit.exitCode, 4)
    })
  })
})

function frame(body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body as string)
  const whole = Buffer.alloc(4 + bytes.length)
  whole.writeUInt32LE(bytes.length)
  bytes.copy(whole, 4)
  return whole
}

function check(reports: string, frames: readonly Uint8Array[], status = 0): string[] {
  const result = spawnSync(program, ['check'], {
    input: Buffer.concat(frames),
    encoding: 'utf8',
    env: sanitizerEnvironment(reports),
  })
  assert.equal(result.status, status, result.stderr)
  assert.equal(result.stderr, '')
  return result.stdout.split('\n').slice(0, -1)
}

/** To files: the shims' own standard error is /dev/null. */
function sanitizerEnvironment(reports: string): NodeJS.ProcessEnv {
  const path = join(reports, 'report')
  return {
    ASAN_OPTIONS: `log_path=${path}:exitcode=99`,
    UBSAN_OPTIONS: `log_path=${path}:print_stacktrace=1`,
  }
}

function readReports(reports: string): string[] {
  return readdirSync(reports).map(name => readFileSync(join(reports, name), 'utf8'))
}

function order(dir: string, text: string): void {
  const fd = openSync(join(dir, 'control'), constants.O_WRONLY | constants.O_NONBLOCK)
  writeSync(fd, text)
  closeSync(fd)
}

type Run = {
  readonly replies: readonly Reply[]
  readonly exit: ExitRecord
  readonly start: StartRecord | null
}

class Spawner {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #state = temporaryDirectory('native')
  readonly #listeners = new Map<number, (reply: Reply) => void>()
  #next = 1

  static async start(reports: string): Promise<Spawner> {
    const spawner = new Spawner(reports)
    const { promise, resolve } = deferred<Reply>()
    spawner.#listeners.set(0, resolve)
    assert.equal((await promise).kind, 'ready')
    return spawner
  }

  private constructor(reports: string) {
    this.#child = spawn(program, ['spawner', 'parked=4,600000'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: sanitizerEnvironment(reports),
    })
    assert.ok(this.#child.stdout)
    this.#lines = createInterface(this.#child.stdout)
    this.#lines.on('line', line => {
      const reply = parseReply(line)
      this.#listeners.get('id' in reply ? reply.id : 0)?.(reply)
    })
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Sends the frame; resolves to the first answer that bears the id. */
  async request(bytes: Uint8Array, id: number): Promise<Reply> {
    const { promise, resolve } = deferred<Reply>()
    this.#listeners.set(id, resolve)
    this.#child.stdin?.write(bytes)
    return promise
  }

  /** One launch to its end; `act` runs when it has started. */
  async run(spec: Partial<LaunchSpec>, act?: (dir: string) => void): Promise<Run> {
    const id = this.#next++
    const dir = join(this.#state, `${id}`)
    mkdirSync(dir, { mode: 0o700 })
    const replies: Reply[] = []
    const { promise, resolve } = deferred<void>()
    this.#listeners.set(id, reply => {
      replies.push(reply)
      if (reply.kind === 'started') act?.(dir)
      if (reply.kind === 'gone') resolve()
    })
    this.#child.stdin?.write(encodeLaunch(id, { ...minimal, ...spec, dir }))
    await promise
    const start = join(dir, 'start.json')
    return {
      replies,
      exit: readJson(join(dir, 'exit.json')),
      start: existsSync(start) ? readJson(start) : null,
    }
  }

  /** One launch that has no task: its first reply, and nothing is left of it. */
  async refused(spec: Partial<LaunchSpec>): Promise<Reply> {
    const id = this.#next++
    const dir = join(this.#state, `${id}`)
    mkdirSync(dir, { mode: 0o700 })
    const { promise, resolve } = deferred<Reply>()
    let first: Reply | null = null
    this.#listeners.set(id, reply => {
      first ??= reply
      if (reply.kind === 'gone') resolve(first)
    })
    this.#child.stdin?.write(encodeLaunch(id, { ...minimal, ...spec, dir }))
    return promise
  }

  async close(): Promise<number | null> {
    const { promise, resolve } = deferred<number | null>()
    this.#child.once('exit', resolve)
    this.#child.stdin?.end()
    return promise
  }
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}
