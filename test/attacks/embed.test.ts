import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AllocDir } from '../../src/index.ts'
import { isRoot } from '../support/identity.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { compiled } from './hostile.ts'

describe('attack: what embed() reads from a tree that a task may change', () => {
  before(function () {
    requires(this, 'linux', 'native')
  })
  let directory: string
  let alloc: AllocDir
  let secret: string
  let hostile: string
  const programs: ChildProcess[] = []
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-embed-attack-'))
    alloc = new AllocDir(join(directory, 'allocation'))
    await alloc.build(['web', 'other'])
    secret = join(directory, 'secret')
    mkdirSync(secret)
    writeFileSync(join(secret, 'file'), 'SECRET')
    hostile = join(alloc.path, 'other/local')
  })
  afterEach(async () => {
    for (const program of programs.splice(0)) await ended(program)
    rmSync(directory, { recursive: true, force: true })
  })

  async function run(name: string, ...args: string[]): Promise<void> {
    const program = spawn(compiled(name), args, { stdio: ['ignore', 'pipe', 'inherit'] })
    programs.push(program)
    await new Promise<void>((resolve, reject) => {
      program.once('error', reject)
      program.stdout.once('data', () => resolve())
      program.once('exit', status => reject(new Error(`${name} ended with ${status}`)))
    })
  }

  /** A tree in which a directory changes places with a link that leads to the secret. */
  async function swapping(): Promise<string> {
    const tree = join(hostile, 'tree')
    mkdirSync(join(tree, 'a/dir'), { recursive: true })
    writeFileSync(join(tree, 'a/dir/file'), 'harmless')
    symlinkSync(secret, join(tree, 'a/link'))
    await run('swapper', join(tree, 'a/dir'), join(tree, 'a/link'))
    return tree
  }

  it('no race of a directory against a link gets out of the tree', async () => {
    const tree = await swapping()
    for (let round = 0; round < 300; round++) {
      await alloc.embed('web', { [tree]: 'local/copy' }).catch(error => {
        assert.equal(error.code, 'INVALID_STATE', error.message)
      })
      for (const name of ['dir', 'link']) {
        const file = join(alloc.path, 'web/local/copy/a', name, 'file')
        if (existsSync(join(alloc.path, 'web/local/copy/a', name)) && !isLink(join(file, '..')))
          assert.equal(existsSync(file) ? readFileSync(file, 'utf8') : 'harmless', 'harmless')
      }
      rmSync(join(alloc.path, 'web/local/copy'), { recursive: true, force: true })
    }
  })

  it('control: a walk by path gets out of it', async () => {
    const tree = await swapping()
    for (let round = 0; round < 20_000; round++)
      for (const name of ['dir', 'link']) {
        const path = join(tree, 'a', name)
        if (!(await lstat(path)).isDirectory()) continue
        const [file] = await readdir(path).catch(() => [])
        if (file !== undefined && readFileOrNull(join(path, file)) === 'SECRET') return
      }
    assert.fail('the race was never won')
  })

  it('a link on the way to the source is not followed in an allocation, however its path is spelt', async () => {
    symlinkSync(secret, join(hostile, 'sub'))
    mkdirSync(join(hostile, 'dir'))
    const spelt = join(directory, 'spelt')
    symlinkSync(alloc.path, spelt)
    for (const path of [
      join(hostile, 'sub/file'),
      `${hostile}/sub/`,
      `${hostile}//./sub/file`,
      join(spelt, 'other/local/sub/file'),
      `/proc/self/root${hostile}/sub/file`,
    ]) {
      await refuses(alloc.embed('web', { [path]: 'stolen' }), { code: 'PERMISSION', errno: 'ELOOP' })
      assert.equal(existsSync(join(alloc.path, 'web/stolen')), false)
    }
    await refuses(alloc.embed('web', { [`${hostile}/dir/../sub/file`]: 'stolen' }), { code: 'PERMISSION' })
  })

  it('control: the same path through directories is embedded, and a link of our own is followed', async () => {
    mkdirSync(join(hostile, 'sub'))
    writeFileSync(join(hostile, 'sub/file'), 'harmless')
    symlinkSync(alloc.path, join(directory, 'spelt'))
    await alloc.embed('web', { [join(directory, 'spelt/other/local/sub/file')]: 'got' })
    assert.equal(readFileSync(join(alloc.path, 'web/got'), 'utf8'), 'harmless')
  })

  it('nor one that another user could have made: his directory, or one that everybody may write in', async function () {
    if (!isRoot) requires(this, 'root')
    const his = join(directory, 'his')
    mkdirSync(his)
    symlinkSync(secret, join(his, 'sub'))
    chownSync(his, 4242, 4242)
    await refuses(alloc.embed('web', { [join(his, 'sub/file')]: 'stolen' }), { code: 'PERMISSION' })
    chownSync(his, 0, 0)
    await alloc.embed('web', { [join(his, 'sub/file')]: 'control' })
    chmodSync(his, 0o777)
    await refuses(alloc.embed('web', { [join(his, 'sub/file')]: 'stolen' }), { code: 'PERMISSION' })
    // A sticky one, as /tmp: whose link it is decides.
    chmodSync(his, 0o1777)
    await alloc.embed('web', { [join(his, 'sub/file')]: 'control-2' })
    execFileSync('chown', ['-h', '4242:4242', join(his, 'sub')])
    await refuses(alloc.embed('web', { [join(his, 'sub/file')]: 'stolen' }), { code: 'PERMISSION' })
  })

  it('a file under a write lease is told by name, and holds no file thread of the program', async () => {
    writeFileSync(join(hostile, 'leased'), 'x')
    await run('leaser', join(hostile, 'leased'))
    const attempts = Array.from({ length: 8 }, () =>
      refuses(alloc.embed('web', { [join(hostile, 'leased')]: 'local/leased' }), { errno: 'EAGAIN' }),
    )
    // Each would hold a thread, and there are four, for /proc/sys/fs/lease-break-time.
    await Promise.all(attempts)
    assert.equal(existsSync(join(alloc.path, 'web/local/leased')), false)
  })

  it('control: an open that may block waits for the lease', async () => {
    writeFileSync(join(hostile, 'leased'), 'x')
    await run('leaser', join(hostile, 'leased'))
    const reader = spawn('cat', [join(hostile, 'leased')], { stdio: 'ignore' })
    programs.push(reader)
    await until(() => /break_lease/.test(readFileOrNull(`/proc/${reader.pid}/wchan`) ?? ''))
  })

  it('FIFOs, and what nests without end, hold nobody up', async () => {
    const tree = join(hostile, 'tree')
    mkdirSync(tree)
    execFileSync('mkfifo', [join(tree, 'fifo')])
    await alloc.embed('web', { [tree]: 'local/copy', [join(tree, 'fifo')]: 'local/fifo' })
    assert.deepEqual(readdirSync(join(alloc.path, 'web/local/copy')), [])
    execFileSync('sh', ['-c', 'cd "$1"; for i in $(seq 300); do mkdir d; cd d; done', 'sh', tree])
    await refuses(alloc.embed('web', { [tree]: 'local/copy' }), { code: 'INVALID_STATE' })
  })
})

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

function readFileOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 10))
}

async function ended(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return
  const gone = new Promise(resolve => program.once('exit', resolve))
  program.kill('SIGKILL')
  await gone
}
