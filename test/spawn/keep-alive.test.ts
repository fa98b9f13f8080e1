import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'

class Handle {
  referenced = true
  ref(): void {
    this.referenced = true
  }
  unref(): void {
    this.referenced = false
  }
}

describe('KeepAlive', () => {
  it('leaves handles unreferenced until somebody holds, and again afterwards', () => {
    const keepAlive = new KeepAlive()
    const handle = new Handle()
    keepAlive.add(handle)
    assert.equal(handle.referenced, false)
    const release = keepAlive.hold()
    assert.equal(handle.referenced, true)
    release()
    assert.equal(handle.referenced, false)
  })

  it('references a handle that is added while somebody holds', () => {
    const keepAlive = new KeepAlive()
    keepAlive.hold()
    const handle = new Handle()
    handle.unref()
    keepAlive.add(handle)
    assert.equal(handle.referenced, true)
  })

  it('counts holders, and a release that is called twice once', () => {
    const keepAlive = new KeepAlive()
    const handle = new Handle()
    keepAlive.add(handle)
    const first = keepAlive.hold()
    keepAlive.hold()
    first()
    first()
    assert.equal(handle.referenced, true)
  })

  it('holds while a promise is unsettled, and lets go when it rejects', async () => {
    const keepAlive = new KeepAlive()
    const handle = new Handle()
    keepAlive.add(handle)
    const failing = keepAlive.while(Promise.reject(new Error('no')))
    assert.equal(handle.referenced, true)
    await assert.rejects(failing, /no/)
    assert.equal(handle.referenced, false)
  })

  it('forgets a stream that is closed: each ref() of one would leave a listener on it', async () => {
    const keepAlive = new KeepAlive()
    const socket = new Socket()
    keepAlive.addStream(socket)
    const before = socket.listenerCount('connect')
    socket.destroy()
    await once(socket, 'close')
    for (let times = 0; times < 20; times++) keepAlive.hold()()
    assert.equal(socket.listenerCount('connect'), before)
  })
})
