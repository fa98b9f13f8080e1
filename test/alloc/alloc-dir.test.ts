import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { admit } from '../../src/alloc/admit.ts'
import { AllocDir } from '../../src/alloc/alloc-dir.ts'

const modeOf = (path: string) => statSync(path).mode & 0o7777

describe('AllocDir', () => {
  let directory: string
  let alloc: AllocDir
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-alloc-'))
    alloc = new AllocDir(join(directory, 'deep', 'one'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  describe('constructor', () => {
    it('touches nothing and makes the path absolute', () => {
      const path = join(directory, 'x')
      assert.equal(new AllocDir(relative(process.cwd(), path)).path, path)
      assert.deepEqual(readdirSync(directory), [])
    })

    for (const path of ['', '/', '//', '/..', 'a\0b', undefined, 7]) {
      it(`refuses ${JSON.stringify(path)}`, () => {
        assert.throws(() => new AllocDir(path as string), {
          code: 'INVALID_ARGUMENT',
          message: /^allocation path: got /,
        })
      })
    }
  })

  describe('build', () => {
    it('makes the layout with the modes a task of any user needs, whatever the umask', async () => {
      const umask = process.umask(0o077)
      try {
        await alloc.build(['web', 'db'])
      } finally {
        process.umask(umask)
      }
      assert.deepEqual(readdirSync(alloc.path).sort(), ['alloc', 'db', 'web'])
      assert.deepEqual(readdirSync(alloc.sharedDir).sort(), ['data', 'logs', 'tmp'])
      assert.equal(modeOf(alloc.path), 0o700)
      for (const name of ['', 'tmp', 'data']) assert.equal(modeOf(join(alloc.sharedDir, name)), 0o1777)
      assert.equal(modeOf(join(alloc.sharedDir, 'logs')), 0o755)
      assert.equal(modeOf(join(alloc.path, 'web')), 0o755)
      assert.equal(modeOf(join(alloc.path, 'web/local')), 0o1777)
      assert.deepEqual(
        [...alloc.taskDirs],
        [
          ['web', join(alloc.path, 'web')],
          ['db', join(alloc.path, 'db')],
        ],
      )
    })

    it('keeps what an earlier build and its tasks have left, and adds tasks', async () => {
      await alloc.build(['web'])
      writeFileSync(join(alloc.path, 'web/local/kept'), 'x')
      const again = new AllocDir(alloc.path)
      await again.build(['web'])
      await again.build(['db'])
      assert.equal(readFileSync(join(alloc.path, 'web/local/kept'), 'utf8'), 'x')
      assert.deepEqual([...again.taskDirs.keys()], ['web', 'db'])
    })

    it('makes nothing when one name is impossible', async () => {
      await assert.rejects(alloc.build(['web', '../x']), {
        code: 'INVALID_ARGUMENT',
        message: /^task names\[1\]: got "\.\.\/x"/,
      })
      assert.deepEqual(readdirSync(directory), [])
      assert.equal(alloc.taskDirs.size, 0)
    })

    for (const planted of ['alloc', 'alloc/logs', 'web', 'web/local']) {
      it(`does not follow a link in the place of ${planted}`, async () => {
        await alloc.build(['web'])
        const outside = join(directory, 'outside')
        await mkdir(outside, { mode: 0o700 })
        renameSync(join(alloc.path, planted), join(directory, 'moved'))
        await symlink(outside, join(alloc.path, planted))
        await assert.rejects(new AllocDir(alloc.path).build(['web']), { code: 'INVALID_STATE' })
        assert.equal(modeOf(outside), 0o700)
        assert.deepEqual(readdirSync(outside), [])
      })
    }

    it('reports a parent that is a file', async () => {
      writeFileSync(join(directory, 'deep'), '')
      await assert.rejects(alloc.build(['web']), { code: 'INVALID_STATE', path: alloc.path })
    })
  })

  describe('taskPaths', () => {
    it('tells where a built task lies', async () => {
      await alloc.build(['web'])
      const root = alloc.path
      assert.deepEqual(alloc.taskPaths('web'), {
        root,
        shared: join(root, 'alloc'),
        task: join(root, 'web'),
        local: join(root, 'web/local'),
      })
    })

    it('refuses an unknown task, naming the known ones', async () => {
      await alloc.build(['web', 'db'])
      assert.throws(() => alloc.taskPaths('wbe'), {
        code: 'NOT_FOUND',
        message: /has no task "wbe"; it has: "web", "db"$/,
      })
      await assert.rejects(alloc.mountSharedDir('wbe'), { code: 'NOT_FOUND' })
      await assert.rejects(alloc.embed('wbe', {}), { code: 'NOT_FOUND' })
    })
  })

  describe('mountSharedDir', () => {
    beforeEach(() => alloc.build(['web']))

    it('shows what is written on one side on the other, also after a move and a second call', async () => {
      await alloc.mountSharedDir('web')
      await alloc.mountSharedDir('web')
      assert.equal(readlinkSync(join(alloc.path, 'web/alloc')), '../alloc')
      writeFileSync(join(alloc.sharedDir, 'data/one'), '1')
      writeFileSync(join(alloc.path, 'web/alloc/data/two'), '2')
      const moved = join(directory, 'elsewhere')
      renameSync(alloc.path, moved)
      assert.equal(readFileSync(join(moved, 'web/alloc/data/one'), 'utf8'), '1')
      assert.equal(readFileSync(join(moved, 'alloc/data/two'), 'utf8'), '2')
    })

    for (const [what, plant] of [
      ['a directory', (path: string) => mkdir(path)],
      ['a link elsewhere', (path: string) => symlink('/etc', path)],
    ] as const) {
      it(`refuses when ${what} is in its place, and leaves it`, async () => {
        const at = join(alloc.path, 'web/alloc')
        await plant(at)
        const before = lstatSync(at).ino
        await assert.rejects(alloc.mountSharedDir('web'), {
          code: 'INVALID_STATE',
          errno: 'EEXIST',
          path: at,
        })
        assert.equal(lstatSync(at).ino, before)
      })
    }
  })

  describe('as another user', () => {
    before(function () {
      if (process.getuid?.() !== 0) {
        console.warn('skipped: running as another user needs root')
        this.skip()
      }
    })

    it('nobody can use the open directories but not rename, remove or plant what is not its own', async () => {
      execFileSync('chmod', ['755', directory])
      await alloc.build(['web'])
      admit(alloc.path, { uid: 65534, gid: 65534, groups: [] })
      const attempt = (script: string) => {
        execFileSync('/bin/sh', ['-c', script], { cwd: alloc.path, uid: 65534, gid: 65534, stdio: 'ignore' })
      }
      attempt(
        'set -e; for d in alloc/tmp alloc/data web/local; do echo x > $d/file; cat $d/file; done; mkdir alloc/own',
      )
      for (const script of [
        'echo x > alloc/logs/file',
        'mv alloc/logs alloc/gone',
        'rmdir alloc/data',
        'touch web/planted',
        'mv web/local web/gone',
        'touch planted',
        'ls .',
      ]) {
        assert.throws(() => attempt(script), { name: 'Error' }, script)
      }
    })
  })
})
