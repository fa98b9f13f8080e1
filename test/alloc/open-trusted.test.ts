import assert from 'node:assert/strict'
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { AllocDir } from '../../src/index.ts'
import { openFound, openTrusted } from '../../src/alloc/open-trusted.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('opening a path of the caller’s', () => {
  let dir = ''
  let alloc: AllocDir
  beforeEach(async function () {
    requires(this, 'linux')
    dir = temporaryDirectory('trusted')
    mkdirSync(join(dir, 'real/deep'), { recursive: true })
    writeFileSync(join(dir, 'real/file'), 'text')
    alloc = new AllocDir(join(dir, 'alloc'))
    await alloc.build(['web'])
  })
  afterEach(() => removeTemporary(dir))

  const read = (path: string): string => {
    const fd = openTrusted(path, constants.O_RDONLY)
    try {
      return readFileSync(fd, 'utf8')
    } finally {
      closeSync(fd)
    }
  }

  it('goes through links of our own, relative and absolute, and up behind them as the kernel does', () => {
    symlinkSync('real/deep', join(dir, 'relative'))
    symlinkSync(join(dir, 'real'), join(dir, 'absolute'))
    for (const path of [
      'real/file',
      './real//file',
      'relative/../file',
      'absolute/file',
      'absolute/deep/../file',
    ])
      assert.equal(read(`${dir}/${path}`), 'text', path)
  })

  it('makes a file that is not there, of exactly that mode less the umask', () => {
    closeSync(openTrusted(join(dir, 'new'), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600))
    assert.equal(readFileSync(join(dir, 'new'), 'utf8'), '')
  })

  it('says what open(2) says of what cannot be opened', () => {
    symlinkSync('loop', join(dir, 'loop'))
    for (const [name, code] of [
      ['absent', 'ENOENT'],
      ['absent/file', 'ENOENT'],
      ['real/file/x', 'ENOTDIR'],
      ['loop', 'ELOOP'],
    ] as const)
      assert.throws(() => openTrusted(join(dir, name), constants.O_RDONLY), { code })
  })

  it('refuses a link that lies in an allocation, and says where; control: a plain file there opens, and is known to lie there', () => {
    const local = join(alloc.path, 'web/local')
    symlinkSync(join(dir, 'real'), join(local, 'link'))
    writeFileSync(join(local, 'plain'), 'text')
    for (const path of [join(local, 'link'), join(local, 'link/file'), `${local}/../local/plain`])
      assert.throws(() => openTrusted(path, constants.O_RDONLY), { name: 'HoldfastError', errno: 'ELOOP' })
    const { fd, inAllocation } = openFound(join(local, 'plain'), constants.O_RDONLY)
    closeSync(fd)
    assert.equal(inAllocation, true)
  })

  it('refuses a link of /proc that leads anywhere', () => {
    assert.throws(() => openTrusted(`/proc/self/root${dir}/real/file`, constants.O_RDONLY), {
      errno: 'ELOOP',
    })
  })

  it('takes a descriptor of our own by its name: it is open already', () => {
    const path = join(dir, 'out')
    const open = openSync(path, 'w')
    for (const name of [`/dev/fd/${open}`, `/proc/self/fd/${open}`]) {
      const fd = openTrusted(name, constants.O_WRONLY | constants.O_APPEND)
      writeSync(fd, 'x')
      closeSync(fd)
    }
    closeSync(open)
    assert.equal(readFileSync(path, 'utf8'), 'xx')
  })

  it('leaves no descriptor behind', () => {
    // Those on the way to what is opened: the rest of this process opens others meanwhile.
    const count = () =>
      readdirSync('/proc/self/fd')
        .map(fd => targetOf(`/proc/self/fd/${fd}`))
        .filter(target => target !== '' && (dir.startsWith(target) || target.startsWith(dir))).length
    const before = count()
    for (let time = 0; time < 50; time++) {
      read(join(dir, 'real/file'))
      assert.throws(() => openTrusted(join(dir, 'absent'), constants.O_RDONLY))
    }
    assert.ok(count() <= before + 2)
  })
})

/** Empty where it has been closed meanwhile. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    return ''
  }
}
