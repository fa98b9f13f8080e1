import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import {
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { OutputIndexWriter } from '../../src/spawn/portable/output-index.ts'
import { RotatedLog } from '../../src/spawn/portable/rotated-log.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const limits = { maxBytes: 4096, maxFiles: 3 }

describe('logs of the portable shim, where a task arranges what lies around them', () => {
  let dir = ''
  beforeEach(function () {
    requires(this, 'linux')
    dir = temporaryDirectory('portable-logs')
    for (const name of ['logs', 'outside']) mkdirSync(join(dir, name))
  })
  afterEach(() => removeTemporary(dir))

  const inLogs = (name: string) => join(dir, 'logs', name)
  const opened = () => new RotatedLog(openSync(inLogs('out'), 'ax', 0o640), inLogs('out'), limits)

  it('a log is rotated in the directory that it was opened in, whatever takes its place', () => {
    const log = opened()
    renameSync(join(dir, 'logs'), join(dir, 'moved'))
    symlinkSync('outside', join(dir, 'logs'))
    for (const text of ['one', 'two', 'three']) log.write(Buffer.alloc(limits.maxBytes, text))
    assert.deepEqual(readdirSync(join(dir, 'outside')), [])
    assert.deepEqual(readdirSync(join(dir, 'moved')).sort(), ['out', 'out.1', 'out.2'])
    assert.equal(log.lossy, false)
  })

  it('control: without that, it is rotated where it was named', () => {
    const log = opened()
    for (const text of ['one', 'two']) log.write(Buffer.alloc(limits.maxBytes, text))
    assert.deepEqual(readdirSync(join(dir, 'logs')).sort(), ['out', 'out.1'])
  })

  it('a log whose place has been taken before the start is refused', () => {
    const fd = openSync(inLogs('out'), 'ax', 0o640)
    renameSync(inLogs('out'), inLogs('other'))
    writeFileSync(inLogs('out'), '')
    assert.throws(() => new RotatedLog(fd, inLogs('out'), limits), { code: 'ELOOP' })
  })

  it('the index waits for no reader of a FIFO, and empties no other file by a link', () => {
    const index = join(dir, 'output.index')
    const write = () => new OutputIndexWriter(dir, limits).add(0, 1n, 0, 5)
    execFileSync('mkfifo', [index])
    write()
    execFileSync('rm', [index])
    writeFileSync(join(dir, 'precious'), 'kept')
    linkSync(join(dir, 'precious'), index)
    write()
    execFileSync('rm', [index])
    symlinkSync('precious', index)
    write()
    assert.equal(readFileSync(join(dir, 'precious'), 'utf8'), 'kept')
    execFileSync('rm', [index])
    write()
    assert.equal(readFileSync(index).length, 80)
  })
})
