import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AllocDir } from '../../src/alloc/alloc-dir.ts'

describe('AllocDir.destroy', () => {
  let directory: string
  let outside: string
  let alloc: AllocDir
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-remove-'))
    outside = join(directory, 'outside')
    mkdirSync(outside)
    for (let index = 0; index < 20; index++) writeFileSync(join(outside, `victim-${index}`), '')
    alloc = new AllocDir(join(directory, 'allocation'))
    await alloc.build(['web'])
  })
  afterEach(() => {
    assert.equal(readdirSync(outside).length, 20)
    execFileSync('rm', ['-rf', directory])
  })

  it('removes everything, forgets the tasks and can be repeated', async () => {
    writeFileSync(join(alloc.path, 'web/local/file'), 'x')
    await alloc.mountSharedDir('web')
    await alloc.destroy()
    assert.ok(!existsSync(alloc.path))
    assert.equal(alloc.taskDirs.size, 0)
    await alloc.destroy()
    await alloc.build(['web'])
    assert.ok(existsSync(join(alloc.path, 'web/local')))
  })

  it('takes an allocation that was never built for removed', async () => {
    await new AllocDir(join(directory, 'no/such/parent/here')).destroy()
  })

  it('removes links, not what they lead to', async () => {
    symlinkSync(outside, join(alloc.path, 'web/local/link'))
    symlinkSync(outside, join(alloc.path, 'web/outside'))
    await alloc.destroy()
    assert.ok(!existsSync(alloc.path))
  })

  it('does not remove through a path that is itself a link', async () => {
    const link = join(directory, 'link')
    symlinkSync(outside, link)
    await assert.rejects(new AllocDir(link).destroy(), { code: 'INVALID_STATE', path: link })
  })

  it('removes a tree nested deeper than paths are long and descriptors are many', async () => {
    // Relative steps, as a task would take: no single path ever names the bottom.
    const dig =
      "const fs = require('node:fs'); for (let i = 0; i < 1200; i++) { fs.mkdirSync('dddd'); process.chdir('dddd') }"
    execFileSync(process.execPath, ['-e', dig], { cwd: join(alloc.path, 'web/local') })
    await alloc.destroy()
    assert.ok(!existsSync(alloc.path))
  })

  it('removes directories the task has closed to its own user', async function () {
    if (process.getuid?.() !== 0) return this.skip()
    chmodSync(directory, 0o777)
    const own = new AllocDir(join(directory, 'own'))
    process.seteuid?.(65534)
    try {
      await own.build(['web'])
      const closed = join(own.path, 'web/local/closed')
      mkdirSync(join(closed, 'inner'), { recursive: true })
      writeFileSync(join(closed, 'inner/file'), '')
      chmodSync(join(closed, 'inner'), 0)
      chmodSync(closed, 0)
      await own.destroy()
    } finally {
      process.seteuid?.(0)
    }
    assert.ok(!existsSync(own.path))
  })

  describe('while a task swaps directories for links', () => {
    let attacker: ChildProcess
    afterEach(() => attacker.kill('SIGKILL'))

    it('never deletes outside', async () => {
      const local = join(alloc.path, 'web/local')
      const far = join(directory, 'far')
      const many = 2000
      mkdirSync(far)
      mkdirSync(join(local, 'trap'))
      for (const place of [far, join(local, 'trap')]) {
        for (let index = 0; index < many; index++) writeFileSync(join(place, `victim-${index}`), '')
      }
      // It waits until the trap is being emptied, and only then puts the link in its place.
      const program = `
        const fs = require('node:fs')
        process.chdir(${JSON.stringify(local)})
        process.stdout.write('ready')
        while (fs.readdirSync('trap').length === ${many});
        fs.renameSync('trap', 'aside')
        fs.symlinkSync(${JSON.stringify(far)}, 'trap')`
      attacker = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
      const exited = new Promise(resolve => attacker.once('exit', resolve))
      await new Promise(resolve => attacker.stdout?.once('data', resolve))
      await alloc.destroy().catch(error => assert.equal(error.code, 'INVALID_STATE'))
      assert.equal(await exited, 0, 'the swap itself must have worked')
      await alloc.destroy()
      assert.ok(!existsSync(alloc.path))
      assert.equal(readdirSync(far).length, many)
    })
  })

  describe('with something mounted inside', () => {
    let mounted: string | null = null
    before(function () {
      if (process.getuid?.() === 0) return
      console.warn('skipped: mounting needs root')
      this.skip()
    })
    afterEach(() => {
      if (mounted !== null) execFileSync('umount', [mounted])
      mounted = null
    })
    const bind = (at: string) => {
      execFileSync('mount', ['--bind', outside, at])
      mounted = at
    }

    for (const name of ['web/local/m', 'web/local/with space\\and tab\t']) {
      it(`removes nothing and names the mount at ${JSON.stringify(name)}`, async () => {
        const at = join(alloc.path, name)
        mkdirSync(at)
        writeFileSync(join(alloc.path, 'web/local/file'), 'kept')
        bind(at)
        await assert.rejects(alloc.destroy(), (error: Error & { code: string; path: string }) => {
          assert.equal(error.code, 'INVALID_STATE')
          assert.equal(error.path, at)
          assert.ok(error.message.includes(at))
          return true
        })
        assert.equal(readFileSync(join(alloc.path, 'web/local/file'), 'utf8'), 'kept')
        assert.equal(alloc.taskDirs.size, 1)
        execFileSync('umount', [at])
        mounted = null
        await alloc.destroy()
        assert.ok(!existsSync(alloc.path))
      })
    }

    it('sees it also when the allocation is named through a link above it', async () => {
      symlinkSync(directory, join(directory, 'detour'))
      bind(join(alloc.path, 'web/local'))
      await assert.rejects(new AllocDir(join(directory, 'detour/allocation')).destroy(), {
        code: 'INVALID_STATE',
        errno: 'EBUSY',
      })
    })
  })
})
