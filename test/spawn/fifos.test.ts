import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shimAlive, watchAlive } from '../../src/spawn/alive.ts'
import { sendControl } from '../../src/spawn/control.ts'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'

describe("the FIFOs of a task's directory", () => {
  let dir: string
  const open: number[] = []

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'holdfast-fifos-'))
    execFileSync('mkfifo', [join(dir, 'alive'), join(dir, 'control')])
  })

  afterEach(() => {
    for (const fd of open.splice(0)) closeSync(fd)
    rmSync(dir, { recursive: true })
  })

  /** Both ends, as a shim has them. */
  const shimOpens = (name: string): number => {
    const fd = openSync(join(dir, name), constants.O_RDWR | constants.O_NONBLOCK)
    open.push(fd)
    return fd
  }

  describe('alive', () => {
    const gone = (): Promise<void> => {
      const keepAlive = new KeepAlive()
      return keepAlive.while(new Promise<void>(resolve => watchAlive(dir, keepAlive, resolve)))
    }

    it('says that the shim lives while somebody holds the write end', () => {
      assert.equal(shimAlive(dir), false)
      shimOpens('alive')
      assert.equal(shimAlive(dir), true)
    })

    it('tells of a shim that was gone before anybody looked', async () => {
      await gone()
    })

    it('tells of a directory that has no FIFO at all', async () => {
      rmSync(join(dir, 'alive'))
      assert.equal(shimAlive(dir), false)
      await gone()
    })

    it('tells when the shim goes, to each of several watchers', async () => {
      shimOpens('alive')
      const watchers = [gone(), gone(), gone()]
      for (const fd of open.splice(0)) closeSync(fd)
      await Promise.all(watchers)
    })

    it('says nothing to a watcher that has let go', async () => {
      shimOpens('alive')
      const keepAlive = new KeepAlive()
      let told = false
      const letGo = watchAlive(dir, keepAlive, () => {
        told = true
      })
      letGo()
      const other = gone()
      for (const fd of open.splice(0)) closeSync(fd)
      await other
      assert.equal(told, false)
    })
  })

  describe('control', () => {
    it('delivers a line', () => {
      const fd = shimOpens('control')
      assert.equal(sendControl(dir, 'stop 15 5000'), true)
      const buffer = Buffer.alloc(64)
      assert.equal(buffer.toString('utf8', 0, readSync(fd, buffer)), '\nstop 15 5000\n')
    })

    it('says so when there is no shim to read it, instead of waiting for one', () => {
      assert.equal(sendControl(dir, 'kill'), false)
      rmSync(join(dir, 'control'))
      assert.equal(sendControl(dir, 'kill'), false)
    })

    it('is not deceived by a file of that name', () => {
      rmSync(join(dir, 'control'))
      writeFileSync(join(dir, 'control'), '')
      assert.equal(sendControl(dir, 'kill'), false)
      assert.equal(readFileSync(join(dir, 'control'), 'utf8'), '')
    })

    it('does not follow a link', () => {
      const target = join(dir, 'target')
      writeFileSync(target, '')
      rmSync(join(dir, 'control'))
      symlinkSync(target, join(dir, 'control'))
      assert.equal(sendControl(dir, 'kill'), false)
      assert.equal(readFileSync(target, 'utf8'), '')
    })

    it('gives up on a shim that does not read, when the pipe is full', () => {
      shimOpens('control')
      let sent = 0
      while (sendControl(dir, 'stop 15 5000') && sent < 100_000) sent++
      assert.ok(sent > 100 && sent < 100_000, `${sent} lines`)
    })
  })
})
