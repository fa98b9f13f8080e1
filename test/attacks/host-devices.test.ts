import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '../../src/index.ts'
import { compiledOrNull } from '../support/compiled.ts'
import { isRoot, strongest, taskUsers } from '../support/identity.ts'
import { output, outputOf } from '../support/output.ts'
import { asRoot, requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { attacker, verdicts } from './hostile.ts'

/** Files of the kernel's that tell about the host, or change it; those this kernel has. */
const masked = [
  'acpi',
  'asound',
  'interrupts',
  'kcore',
  'keys',
  'sched_debug',
  'scsi',
  'sysrq-trigger',
  'timer_list',
]
  .map(name => `/proc/${name}`)
  .filter(path => existsSync(path))

/** Where nobody may compile, as an ordinary user. */
const sources = new URL('../../src/index.ts', import.meta.url).href
const typing = ['TIOCSTI', 'TIOCSTI-high', 'TIOCLINUX']

describe('attack: devices and the kernel’s files', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const path of ['/proc/self/fd/0', '/proc/self/fd/1', '/proc/keys', '/proc/timer_list'])
    it(
      `root in a task cannot change the host's /dev/null through ${path}`,
      asRoot(() =>
        withWorkbench('linux', async bench => {
          const before = nullDevice()
          // Output "null" is one more way to hand in the host's device.
          const task = bench.shell(`chmod 0676 ${path}; touch -d 2001-01-01 ${path}`)
          Object.assign(task.command, { user: strongest, stdout: 'null' })
          try {
            await task.start()
            await task.wait()
            assert.deepEqual(nullDevice(), before)
            assert.match(await output(task, 'stderr'), /chmod: .*\ntouch: /)
          } finally {
            chmodSync('/dev/null', before.mode)
            utimesSync('/dev/null', before.changed, before.changed)
          }
        }),
      ),
    )

  it('what is masked in /proc reads as nothing and swallows what is written, for root too', () =>
    withWorkbench('linux', async bench => {
      assert.ok(masked.length >= 3, 'this kernel has something to mask')
      const task = bench.shell(`cat ${masked.join(' ')} 2>/dev/null | wc -c; ls -A /proc/acpi | wc -l`)
      task.command.user = strongest
      assert.equal((await outputOf(task)).trim(), existsSync('/proc/acpi') ? '0\n0' : '0')
    }))

  it('nothing in /proc/sys, /proc/irq, /proc/bus or /proc/fs can be written by root without capabilities', () =>
    withWorkbench('linux', async bench => {
      const knobs = [
        '/proc/sys/kernel/core_pattern',
        '/proc/sys/kernel/hostname',
        '/proc/sys/vm/drop_caches',
        '/proc/sys/net/ipv4/ip_forward',
        '/proc/irq/default_smp_affinity',
      ].filter(path => existsSync(path))
      const seen = await verdicts(attacker(bench, 'opens', ['w', ...knobs], { user: strongest }))
      assert.deepEqual(seen, Object.fromEntries(knobs.map(path => [path, isRoot ? 'EROFS' : 'EACCES'])))
    }))

  it(
    'control: in the host’s root the same knobs open for root',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const path = '/proc/sys/kernel/core_pattern'
        const seen = await verdicts(
          attacker(bench, 'opens', ['w', path, '/proc/timer_list'], {
            user: strongest,
            root: 'host',
            namespaces: { mount: false },
          }),
        )
        assert.equal(seen[path], 'ok')
      }),
    ),
  )

  it('kernel memory and disks have no node, and none can be made', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('cd /dev && ls')
      assert.deepEqual((await outputOf(task)).trim().split('\n').sort(), [
        'fd',
        'full',
        'mqueue',
        'null',
        'ptmx',
        'pts',
        'random',
        'shm',
        'stderr',
        'stdin',
        'stdout',
        'tty',
        'urandom',
        'zero',
      ])
    }))

  it('three descriptors are inherited: none is a directory or a terminal, and there is none to open', () =>
    withWorkbench('linux', async bench => {
      for (const user of taskUsers) {
        const seen = await verdicts(attacker(bench, 'descriptors', [], { user }))
        assert.deepEqual(Object.keys(seen), ['0', '1', '2', 'tty', ...typing])
        assert.deepEqual(
          typing.map(name => seen[name]),
          ['EPERM', 'EPERM', 'EPERM'],
        )
        assert.match(seen['0'] ?? '', /^ENOTDIR \/(dev\/null)?$/)
        for (const stream of ['1', '2']) assert.match(seen[stream] ?? '', /^ENOTDIR pipe:/)
        assert.equal(seen.tty, 'ENXIO')
      }
    }))

  it('the same under Basic', () =>
    withWorkbench('basic', async bench => {
      const seen = await verdicts(attacker(bench, 'descriptors'))
      assert.deepEqual(Object.keys(seen), ['0', '1', '2', 'tty', ...typing])
      // No filter here, and no terminal either.
      assert.deepEqual(
        typing.map(name => seen[name]),
        ['ENOTTY', 'ENOTTY', 'ENOTTY'],
      )
      for (const fd of ['0', '1', '2']) assert.match(seen[fd] ?? '', /^ENOTDIR /)
      assert.equal(seen.tty, 'ENXIO')
    }))

  for (const platform of ['linux', 'basic'] as const)
    it(`a supervisor's terminal is not inherited (${platform})`, () =>
      withWorkbench(platform, async bench => {
        // The supervisor's own process needs the terminal, so it is one more; script(1) gives it one.
        const program = join(bench.directory('terminal'), 'supervisor.mjs')
        const start = `
          import { closeSync, openSync } from 'node:fs'
          import { Supervisor, setCommand } from ${JSON.stringify(compiledOrNull('src/index.ts') ?? sources)}
          closeSync(openSync('/dev/tty', 'r+'))
          const supervisor = new Supervisor({ stateDir: ${JSON.stringify(bench.stateDir)} })
          const task = supervisor.executor(${JSON.stringify(platform)})
          setCommand(task, '/bin/sh', ['-c', '(exec 3<>/dev/tty) && echo stolen; tty; echo looked'])
          await task.start()
          await task.wait()
          console.log('supervised')
          task.logs$('stdout').subscribe(chunk => console.log(Buffer.from(chunk).toString()))
          await supervisor.close()`
        writeFileSync(program, start)
        const line = `${process.execPath} --import tsx --conditions=development ${program}`
        const said = execFileSync('script', ['-qec', line, '/dev/null'], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        assert.match(said, /supervised(.|\s)*looked/)
        assert.doesNotMatch(said, /stolen|pts/)
      }))

  it('of cgroups its own are in reach, to read; they look like the root of their hierarchies, and there is no more of /sys', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(`cut -d: -f3 /proc/self/cgroup | sort -u
        grep -e ' - cgroup' /proc/self/mountinfo | cut -d ' ' -f 4,6 | grep -v '^/ ro,'
        ls /sys /sys/fs
        find /sys/fs/cgroup -type f | while read file; do (echo 1 > $file) 2>/dev/null && echo $file; done
        mkdir /sys/fs/cgroup/planted $(find /sys/fs/cgroup -type d | sed 's,$,/planted,') 2>/dev/null && echo made
        # 0: a process of another pid namespace.
        find /sys/fs/cgroup -name cgroup.procs | xargs cat | grep -x 0; true`)
      task.command.user = strongest
      await task.limit({ memoryMB: 64, pids: 32, cpuLimit: 1 })
      assert.equal((await outputOf(task)).trim(), '/\n/sys:\nfs\n\n/sys/fs:\ncgroup')
    }))

  it('control: in the host’s root cgroup files are in reach', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs | head -1')
      task.command.root = 'host'
      assert.match(await outputOf(task), /cgroup\.procs/)
    }))

  for (const [at, loosened] of [
    ['/tmp', {}],
    ['/dev/shm', { tmpfs: [{ target: '/dev/shm', sizeBytes: 1 << 20 }] }],
    ['/scratch', { tmpfs: [{ target: '/scratch', sizeBytes: 1 << 20 }] }],
  ] as const satisfies readonly (readonly [string, Partial<Command>])[])
    it(`${at} holds no more than its size`, () =>
      withWorkbench('linux', async bench => {
        const task = bench.shell(
          `dd if=/dev/zero of=${at}/file bs=64k count=400 2>&1 | grep -o 'No space left.*'; stat -c %s ${at}/file`,
        )
        Object.assign(task.command, { tmpfs: [{ target: '/tmp', sizeBytes: 1 << 20 }] }, loosened)
        assert.equal(await outputOf(task), `No space left on device\n${1 << 20}\n`)
      }))

  it('/tmp is never larger than the memory limit', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell("df -k --output=size /tmp | tail -1 | tr -d ' '")
      await task.limit({ memoryMB: 32 })
      assert.equal((await outputOf(task)).trim(), '32768')
    }))
})

type Device = { readonly mode: number; readonly user: number; readonly changed: Date }

function nullDevice(): Device {
  const { mode, uid, mtime } = statSync('/dev/null')
  return { mode: mode & 0o7777, user: uid, changed: mtime }
}
