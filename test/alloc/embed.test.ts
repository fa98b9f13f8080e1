import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { AllocDir } from '../../src/alloc/alloc-dir.ts'

describe('AllocDir.embed', () => {
  let directory: string
  let alloc: AllocDir
  let task: string
  let host: string
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-embed-'))
    alloc = new AllocDir(join(directory, 'allocation'))
    await alloc.build(['web'])
    task = join(alloc.path, 'web')
    host = join(directory, 'host')
    mkdirSync(join(host, 'tree/inner'), { recursive: true })
    writeFileSync(join(host, 'tool'), 'tool', { mode: 0o754 })
    writeFileSync(join(host, 'tree/inner/leaf'), 'leaf', { mode: 0o640 })
    symlinkSync('inner/leaf', join(host, 'tree/link'))
    symlinkSync('/no/such/place', join(host, 'tree/dangling'))
    chmodSync(join(host, 'tree/inner'), 0o750)
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('hard-links a file and makes its parents; an absolute path is relative to the task', async () => {
    await alloc.embed('web', { [join(host, 'tool')]: '/usr/./bin//tool' })
    assert.equal(statSync(join(task, 'usr/bin/tool')).ino, statSync(join(host, 'tool')).ino)
    assert.equal(statSync(join(task, 'usr')).mode & 0o7777, 0o755)
  })

  it('takes over a tree with its modes, and links as links', async () => {
    const umask = process.umask(0o077)
    try {
      await alloc.embed('web', { [join(host, 'tree')]: 'opt/tree' })
    } finally {
      process.umask(umask)
    }
    assert.equal(statSync(join(task, 'opt/tree/inner')).mode & 0o7777, 0o750)
    assert.equal(readFileSync(join(task, 'opt/tree/inner/leaf'), 'utf8'), 'leaf')
    assert.equal(readlinkSync(join(task, 'opt/tree/link')), 'inner/leaf')
    assert.equal(readlinkSync(join(task, 'opt/tree/dangling')), '/no/such/place')
  })

  it('copies from another file system, with the mode but without set-user-ID', async function () {
    if (!existsSync('/dev/shm') || statSync('/dev/shm').dev === statSync(directory).dev) {
      console.warn('skipped: needs /dev/shm to be another file system')
      return this.skip()
    }
    const other = mkdtempSync('/dev/shm/holdfast-embed-')
    try {
      writeFileSync(join(other, 'big'), Buffer.alloc(700_001, 7))
      chmodSync(join(other, 'big'), 0o4751)
      await alloc.embed('web', { [other]: 'copied' })
      const copy = join(task, 'copied/big')
      assert.deepEqual(readFileSync(copy), readFileSync(join(other, 'big')))
      assert.equal(statSync(copy).mode & 0o7777, 0o751)
      assert.notEqual(statSync(copy).dev, statSync(other).dev)
    } finally {
      rmSync(other, { recursive: true })
    }
  })

  it('takes a missing source for nothing to do', async () => {
    await alloc.embed('web', { '/no/such/file': 'a/b', [join(host, 'tool/below-a-file')]: 'c' })
    assert.deepEqual(readdirSync(task), ['local'])
  })

  it('can be repeated, and replaces a file that has changed', async () => {
    const tool = join(host, 'tool')
    await alloc.embed('web', { [tool]: 'tool' })
    await alloc.embed('web', { [tool]: 'tool' })
    rmSync(tool)
    writeFileSync(tool, 'newer')
    await alloc.embed('web', { [tool]: 'tool' })
    assert.equal(readFileSync(join(task, 'tool'), 'utf8'), 'newer')
  })

  it('merges a directory into the task directory itself, without changing its mode', async () => {
    await alloc.embed('web', { [join(host, 'tree')]: '.' })
    assert.deepEqual(readdirSync(task).sort(), ['dangling', 'inner', 'link', 'local'])
    assert.equal(statSync(task).mode & 0o7777, 0o755)
    await assert.rejects(alloc.embed('web', { [join(host, 'tool')]: '/' }), { code: 'INVALID_ARGUMENT' })
  })

  it('does not descend into the allocation itself', async () => {
    await alloc.embed('web', { [directory]: 'all' })
    assert.deepEqual(readdirSync(join(task, 'all')), ['host'])
  })

  for (const bad of ['..', '../db/x', 'a/../../x', '/..', 'a\0b']) {
    it(`refuses ${JSON.stringify(bad)}, even for a source that is missing`, async () => {
      await assert.rejects(alloc.embed('web', { '/no/such/file': bad }), {
        code: 'INVALID_ARGUMENT',
        message: /path in task: got /,
      })
    })
  }

  it('refuses a relative source', async () => {
    await assert.rejects(alloc.embed('web', { 'etc/passwd': 'x' }), {
      code: 'INVALID_ARGUMENT',
      message: /host path: got "etc\/passwd"/,
    })
  })

  describe('with links planted in the task directory', () => {
    let outside: string
    beforeEach(() => {
      outside = join(directory, 'outside')
      mkdirSync(outside)
      writeFileSync(join(outside, 'victim'), 'untouched')
    })
    const untouched = () => {
      assert.deepEqual(readdirSync(outside), ['victim'])
      assert.equal(readFileSync(join(outside, 'victim'), 'utf8'), 'untouched')
    }

    for (const at of ['local/trap/tool', 'local/trap/deep/er/tool', 'local/trap']) {
      it(`writes nothing outside for ${at}`, async () => {
        symlinkSync(outside, join(task, 'local/trap'))
        const source = at === 'local/trap' ? 'tree' : 'tool'
        await assert.rejects(alloc.embed('web', { [join(host, source)]: at }), {
          code: 'INVALID_STATE',
          message: /a link or not a directory/,
        })
        untouched()
      })
    }

    it('replaces a link in the place of a file instead of writing through it', async () => {
      symlinkSync(join(outside, 'victim'), join(task, 'local/tool'))
      await alloc.embed('web', { [join(host, 'tool')]: 'local/tool' })
      assert.ok(lstatSync(join(task, 'local/tool')).isFile())
      untouched()
    })

    it('replaces a hard link instead of writing into the shared file', async () => {
      linkSync(join(outside, 'victim'), join(task, 'local/tool'))
      await alloc.embed('web', { [join(host, 'tool')]: 'local/tool' })
      untouched()
    })

    it('does not merge a tree through a link inside it', async () => {
      mkdirSync(join(task, 'local/tree'))
      symlinkSync(outside, join(task, 'local/tree/inner'))
      await assert.rejects(alloc.embed('web', { [join(host, 'tree')]: 'local/tree' }), {
        code: 'INVALID_STATE',
      })
      untouched()
    })

    it('refuses a directory in the place of a file', async () => {
      mkdirSync(join(task, 'local/tool'))
      await assert.rejects(alloc.embed('web', { [join(host, 'tool')]: 'local/tool' }), {
        code: 'INVALID_STATE',
        errno: 'EISDIR',
      })
      assert.equal(dirname(join(task, 'local/tool')), join(task, 'local'))
    })
  })
})
