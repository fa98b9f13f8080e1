import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Enforcement, Mount } from '../../src/index.ts'
import { strongest } from '../support/identity.ts'
import { outputOf } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, compiled, verdicts } from './hostile.ts'

/** Any of these in a task's hands is the host: programs that the kernel runs, and knobs of everybody. */
const knobs = ['sys/kernel/core_pattern', 'sys/kernel/modprobe', 'sysrq-trigger', 'sys/vm/drop_caches']

describe('attack: the kernel’s own files, by a mount that may be written', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  const places = ['/proc', '/proc/', '/proc/sys/kernel', '/proc/../proc', '/sys', '/sys/kernel']
  for (const source of places)
    it(`${source} is refused, and told how it can be had`, () =>
      withWorkbench('linux', async bench => {
        await refuses(mounting(bench, { source, target: '/m' }).start(), {
          code: 'INVALID_ARGUMENT',
          stage: 'mount',
          message: /holds the kernel's own files/,
          hint: /readOnly: true/,
        })
      }))

  it('a link of ours to it is refused too', () =>
    withWorkbench('linux', async bench => {
      const link = join(bench.directory('link'), 'knobs')
      symlinkSync('/proc/sys', link)
      for (const source of [link, `${link}/../sys/kernel`]) {
        const refused = mounting(bench, { source, target: '/m' }).start()
        await refuses(refused, { code: 'INVALID_ARGUMENT', stage: 'mount' })
      }
    }))

  it('read-only it is mounted, and nothing in it opens for writing', () =>
    withWorkbench('linux', async bench => {
      const found = await writableIn(bench, { source: '/proc', target: '/tmp/m', readOnly: true })
      assert.deepEqual(found.paths, [])
      assert.equal(
        found.rows.some(({ name }) => name === 'mounts'),
        false,
      )
    }))

  it('a directory that has it somewhere beneath brings it read-only: a row, which strict refuses', async function () {
    requires(this, 'root')
    await withHostMounts(async (bench, parent) => {
      const mount = { source: parent, target: '/tmp/m' }
      const { paths, rows } = await writableIn(bench, mount)
      assert.deepEqual(paths, ['/tmp/m/plain/file'])
      const row = rows.find(({ name }) => name === 'mounts')
      assert.equal(row?.status, 'weakened')
      assert.match(row?.reason ?? '', /read-only: .*\/deep\/proc/)
      const strictly = bench.commandOf(bench.another({ strict: true }), '/bin/true')
      Object.assign(strictly.command, { mounts: [mount] })
      await refuses(strictly.start(), { code: 'ISOLATION_FAILED', message: /mounts/ })
      await refuses(mounting(bench, { source: join(parent, 'deep/proc'), target: '/m' }).start(), {
        code: 'INVALID_ARGUMENT',
      })
    })
  })

  it('control: in the host’s root the same user opens them in that directory', async function () {
    requires(this, 'root')
    await withHostMounts(async (bench, parent) => {
      const loosened = { user: strongest, root: 'host', namespaces: { mount: false } } as const
      const opened = Object.keys(
        await verdicts(attacker(bench, 'writable', [join(parent, 'deep')], loosened)),
      )
      const there = knobs.filter(knob => existsSync(join('/proc', knob)))
      assert.ok(there.length > 0)
      for (const knob of there) assert.ok(opened.includes(join(parent, 'deep/proc', knob)), knob)
    })
  })

  it('all of the host, mounted writable, has its kernel files read-only, for whoever runs in it', () =>
    withWorkbench('linux', async bench => {
      const task = mounting(bench, { source: '/', target: '/tmp/host' })
      task.command.args = [
        '-c',
        'for f in proc/sys/kernel/core_pattern proc/sysrq-trigger sys/kernel/uevent_helper sys/power/state; do' +
          ' f=/tmp/host/$f; if [ -e $f ] && (: >> $f) 2>/dev/null; then echo $f; fi; done; echo end',
      ]
      assert.equal(await outputOf(task), 'end\n')
    }))
})

function mounting(bench: Workbench, mount: Mount) {
  const task = bench.shell('true')
  Object.assign(task.command, { user: strongest, mounts: [mount] })
  return task
}

async function writableIn(
  bench: Workbench,
  mount: Mount,
): Promise<{ paths: string[]; rows: readonly Enforcement[] }> {
  const program = { source: join(compiled('writable'), '..'), target: '/tmp/hostile', readOnly: true }
  const loosened = { user: strongest, mounts: [program, mount] }
  const task = attacker(bench, 'writable', [mount.target], loosened)
  const paths = Object.keys(await verdicts(task))
  return { paths, rows: task.enforcement }
}

/**
 * A directory of ours with a plain file, and the kernel's files two steps down, mounted there by the host.
 */
async function withHostMounts(body: (bench: Workbench, parent: string) => Promise<void>): Promise<void> {
  await withWorkbench('linux', async bench => {
    const parent = bench.directory('parent')
    for (const name of ['plain', 'deep', 'deep/proc', 'deep/sys']) mkdirSync(join(parent, name))
    execFileSync('touch', [join(parent, 'plain/file')])
    const mounted = ['proc', 'sys'].map(name => join(parent, 'deep', name))
    for (const place of mounted) execFileSync('mount', ['--bind', `/${place.split('/').at(-1)}`, place])
    try {
      await body(bench, parent)
    } finally {
      for (const place of mounted) execFileSync('umount', ['-l', place])
    }
  })
}
