import { strict as assert } from 'node:assert'
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { makeFifos } from '../../../src/spawn/fifos.ts'
import { endInput, openInput } from '../../../src/task/running/input.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { type FakeTask, fakeTask, recorded } from '../../support/fake-task.ts'
import { requires } from '../../support/requires.ts'

describe('the standard input of a running task that stays open', () => {
  let task: FakeTask
  let shim: FakeShim
  let door: number | null
  before(function () {
    requires(this, 'linux')
  })
  beforeEach(() => {
    task = recorded(fakeTask())
    shim = new FakeShim(task.dir)
    makeFifos(path())
    door = openSync(path(), constants.O_RDWR | constants.O_NONBLOCK)
  })
  afterEach(() => {
    shut()
    shim.gone()
  })

  const path = () => join(task.dir, 'input')
  function shut(): void {
    if (door !== null) closeSync(door)
    door = null
  }
  function read(): string {
    const buffer = Buffer.alloc(4096)
    return buffer.toString('utf8', 0, readSync(door ?? assert.fail(), buffer))
  }

  it('takes what is written, of several writers', async () => {
    const [one, two] = [openInput(task), openInput(task)]
    await new Promise<void>(resolve => one.write('one ', () => resolve()))
    await new Promise<void>(resolve => two.end('two', () => resolve()))
    assert.equal(read(), 'one two')
    assert.deepEqual(shim.told(), [], 'who lets go ends nothing')
    one.destroy()
  })

  it('is ended by an order to the shim', () => {
    endInput(task)
    assert.deepEqual(shim.told(), ['end'])
  })

  it('is at its end where nobody reads it any more', () => {
    shut()
    assert.throws(() => openInput(task), { code: 'INVALID_STATE', message: /is at its end/ })
    assert.throws(() => endInput(task), { code: 'INVALID_STATE', message: /is at its end/ })
    assert.deepEqual(shim.told(), [])
  })

  it('is at its end where the shim cannot be told so any more', () => {
    shim.gone()
    assert.throws(() => endInput(task), { code: 'INVALID_STATE' })
  })

  it('fails nobody who writes when the task has ended meanwhile', async () => {
    const input = openInput(task)
    shut()
    const closed = new Promise(resolve => input.once('close', resolve))
    input.write('late')
    await closed
    assert.equal(input.destroyed, true)
  })

  it('is none where the task was started without, and the error says what it was started with', () => {
    rmSync(path())
    assert.throws(() => openInput(task), { code: 'UNSUPPORTED', message: /command\.stdin was "null"/ })
    assert.throws(() => endInput(task), { code: 'UNSUPPORTED' })
    Object.assign(task.file.spec.request, { fed: true })
    assert.throws(() => openInput(task), { message: /a stream of the program that started it/ })
  })

  it('is no file that somebody has put there, which stays as it is', () => {
    rmSync(path())
    writeFileSync(path(), '')
    assert.throws(() => openInput(task), { code: 'UNSUPPORTED' })
  })

  it('is none that a link leads to, nor a directory', () => {
    const place = path()
    rmSync(place)
    symlinkSync('/dev/null', place)
    assert.throws(() => openInput(task), { code: 'PERMISSION', errno: 'ELOOP', path: place })
    rmSync(place)
    mkdirSync(place)
    assert.throws(() => openInput(task), { code: 'PERMISSION', errno: 'EISDIR', path: place })
  })
})
