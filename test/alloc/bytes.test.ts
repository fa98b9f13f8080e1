import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AllocDir } from '../../src/alloc/alloc-dir.ts'
import { isText, joined, shown } from '../../src/alloc/entry-name.ts'
import { parseCommand } from '../../src/command/validate.ts'
import { rootPlan } from '../../src/platform/linux/root.ts'
import { Supervisor } from '../../src/index.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'

/**
 * Names that the kernel takes, and no string says: Latin-1, a cut-off sequence, an overlong one, a surrogate
 * in UTF-8.
 */
const names = ['636166e9', 'e282', 'c0af', 'eda080', 'ff'].map(hex => Buffer.from(hex, 'hex'))
const lone = 'a\ud800b'

describe('names are bytes, and not always UTF-8', () => {
  before(function () {
    requires(this, 'linux')
  })
  let directory: string
  let alloc: AllocDir
  beforeEach(async () => {
    directory = temporaryDirectory('bytes')
    alloc = new AllocDir(join(directory, 'allocation'))
    await alloc.build(['web'])
  })
  afterEach(() => execFileSync('rm', ['-rf', directory]))

  /** A tree of files, directories and links, all of them so named. */
  function plant(at: string): void {
    for (const name of names) {
      const child = joined(at, Buffer.concat([Buffer.from('dir-'), name]))
      mkdirSync(child)
      writeFileSync(joined(child, name), 'kept')
      symlinkSync(name, joined(child, 'link'))
      writeFileSync(joined(at, name), 'kept')
    }
  }

  it('control: as strings, such names lead to no file', () => {
    const local = join(alloc.path, 'web/local')
    plant(local)
    const found = readdirSync(local).map(name => existsSync(join(local, name)))
    assert.deepEqual([...new Set(found)], [false])
  })

  it('a tree of them is removed', async () => {
    plant(join(alloc.path, 'web/local'))
    await alloc.destroy()
    assert.equal(existsSync(alloc.path), false)
  })

  it('a tree of them, deeper than is held open at once, is removed', async () => {
    let at: string | Buffer = join(alloc.path, 'web/local')
    for (let level = 0; level < 80; level++)
      mkdirSync((at = joined(at, names[level % names.length] as Buffer)))
    await alloc.destroy()
    assert.equal(existsSync(alloc.path), false)
  })

  for (const place of ['local/tree', 'tree'])
    it(`a tree of them is embedded at ${place}, with what its links say`, async () => {
      const source = join(directory, 'source')
      mkdirSync(source)
      plant(source)
      await alloc.embed('web', { [source]: place })
      const copied = join(alloc.path, 'web', place)
      for (const name of names) {
        const child = joined(copied, Buffer.concat([Buffer.from('dir-'), name]))
        assert.equal(readFileSync(joined(child, name), 'utf8'), 'kept')
        assert.deepEqual(readlinkSync(joined(child, 'link'), { encoding: 'buffer' }), name)
        assert.ok(lstatSync(joined(copied, name)).isFile())
      }
    })

  it('one at the top of the task directory has a row that says it is left out', () => {
    const task = join(alloc.path, 'web')
    writeFileSync(joined(task, names[0] as Buffer), '')
    symlinkSync(names[1] as Buffer, join(task, 'link'))
    const { rows, ops } = rootPlan({ path: '/bin/true', args: [], env: {} }, alloc.taskPaths('web'), {
      memory: null,
    })
    const left = rows.filter(({ reason }) => /no UTF-8/.test(reason ?? ''))
    assert.deepEqual(
      left.map(({ requested }) => requested.replace(task, '')),
      ['/caf\\xe9 at the top of the root', '/link at the top of the root'],
    )
    assert.equal(JSON.stringify(ops).includes('\ufffd'), false)
  })

  it('are shown in errors by their bytes', () => {
    assert.equal(shown(names[0] as Buffer), 'caf\\xe9')
    assert.equal(shown(Buffer.from('café')), 'café')
    assert.deepEqual([names[0] as Buffer, Buffer.from('\ufffd')].map(isText), [false, true])
  })
})

describe('a string that would arrive changed is refused: a lone surrogate, a NUL', () => {
  const commands: Record<string, object> = {
    'command.path': { path: lone },
    'command.args[1]': { args: ['a', lone] },
    'command.argv0': { argv0: lone },
    'command.env.A': { env: { A: lone } },
    [`command.env.${lone}`]: { env: { [lone]: 'x' } },
    'command.cwd': { cwd: `/${lone}` },
    'command.user': { user: lone },
    'command.group': { group: lone },
    'command.stdin': { stdin: `/${lone}` },
    'command.stdout': { stdout: `/${lone}` },
    'command.stderr': { stderr: `/${lone}` },
    'command.mounts[0].source': { mounts: [{ source: `/${lone}`, target: '/m' }] },
    'command.mounts[0].target': { mounts: [{ source: '/m', target: `/${lone}` }] },
    'command.tmpfs[0].target': { tmpfs: [{ target: `/${lone}` }] },
    'command.devices[0]': { devices: [`/dev/${lone}`] },
    'command.network': { network: { path: `/${lone}` } },
    [`command.root.embed./${lone}`]: { root: { embed: { [`/${lone}`]: 'x' } } },
    'command.root.embed./x': { root: { embed: { '/x': lone } } },
    'command.cgroups[0]': { cgroups: [`/${lone}`] },
  }
  for (const [field, command] of Object.entries(commands))
    for (const bad of ['lone surrogate', 'NUL'])
      it(`${JSON.stringify(field)} with a ${bad}`, () => {
        const words = JSON.stringify(command).replaceAll('\\ud800', bad === 'NUL' ? '\\u0000' : '\\ud800')
        const changed = JSON.parse(words) as object
        const named = field.split('\ud800')[0] ?? ''
        assert.throws(
          () => parseCommand({ path: '/bin/true', args: [], env: {}, ...changed }),
          (error: Error & { code?: string }) =>
            error.code === 'INVALID_ARGUMENT' && error.message.startsWith(named),
        )
      })

  it('in the path of an allocation, of what is embedded, and of the state directory', async () => {
    for (const bad of [lone, 'a\0b']) {
      assert.throws(() => new AllocDir(`/tmp/${bad}`), {
        code: 'INVALID_ARGUMENT',
        message: /^allocation path: /,
      })
      assert.throws(() => new Supervisor({ stateDir: `/tmp/${bad}` }), { code: 'INVALID_ARGUMENT' })
      const path = temporaryDirectory('bytes')
      const alloc = new AllocDir(join(path, 'a'))
      await alloc.build(['web'])
      await assert.rejects(alloc.embed('web', { [`/${bad}`]: 'x' }), {
        code: 'INVALID_ARGUMENT',
        message: /host path/,
      })
      await assert.rejects(alloc.embed('web', { '/etc/hostname': bad }), {
        code: 'INVALID_ARGUMENT',
        message: /path in task/,
      })
      rmSync(path, { recursive: true })
    }
  })

  it('control: what is well formed is taken, however strange', () => {
    const strange = 'a\n\t\\:,"\'\u{1f41f}\ufffd é'
    const command = { path: `/${strange}`, args: [strange], env: { [strange]: strange } }
    assert.deepEqual(parseCommand(command), command)
  })
})
