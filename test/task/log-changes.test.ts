import { strict as assert } from 'node:assert'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../../src/errors.ts'
import { LogChanges } from '../../src/task/log-changes.ts'
import { LogWatch } from '../../src/task/log-watch.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('when a follower looks again', () => {
  let dir: string
  let changes: LogChanges
  beforeEach(() => {
    dir = temporaryDirectory('changes')
    changes = new LogChanges()
  })
  afterEach(() => {
    changes.close()
    removeTemporary(dir)
  })
  const target = (path = 'log') => ({ base: dir, path })

  it('at a change of the log, of which it hears at once', async () => {
    writeFileSync(join(dir, 'log'), '')
    let heard = 0
    changes.watch(target(), () => heard++)
    changes.watch(target())
    changes.readingBegins()
    const next = changes.next()
    appendFileSync(join(dir, 'log'), 'x')
    assert.equal(await next, true)
    assert.ok(heard > 0)
  })

  it('at the end of the task, also when that came before it waited', async () => {
    changes.readingBegins()
    const next = changes.next()
    changes.end()
    assert.equal(await next, true)
    assert.equal(await changes.next(), true)
  })

  it('when it is closed while it waits, and watches nothing any more', async () => {
    changes.watch(target())
    changes.readingBegins()
    const next = changes.next()
    changes.close()
    await next
    assert.equal(changes.closed, true)
  })

  it('after 50 ms where nothing can be watched, after a second where something is', async () => {
    const clock = new FakeClock()
    try {
      for (const [path, ms] of [
        ['', 50],
        ['log', 1000],
      ] as const) {
        const one = new LogChanges()
        one.watch({ base: dir, path })
        one.readingBegins()
        let told: boolean | null = null
        const next = one.next().then(value => (told = value))
        clock.pass(ms - 1)
        await settle()
        assert.equal(told, null)
        await clock.passSlowly(1)
        // A chatty log is given some milliseconds more.
        await clock.passSlowly(10)
        assert.equal(await next, false)
        one.close()
      }
    } finally {
      clock.restore()
    }
  })

  it('tries again a file under a lease, and gives every other failure on at once', async () => {
    const leased = new HoldfastError('INVALID_STATE', 'leased', { errno: 'EAGAIN' })
    let looks = 0
    const look = () => {
      if (++looks < 2) throw leased
      return 'found'
    }
    assert.equal(await changes.retryLeased(look), 'found')
    await assert.rejects(
      changes.retryLeased(() => assert.fail('other')),
      /other/,
    )
    changes.close()
    looks = 0
    await assert.rejects(changes.retryLeased(look), leased)
  })
})

describe('a watch of a log', () => {
  it('that cannot be made works not, and says nothing of it', () => {
    const watch = new LogWatch({ base: null, path: '/nowhere/at/all' }, () =>
      assert.fail('it heard something'),
    )
    assert.equal(watch.works, false)
    watch.close()
  })

  it('hears of its log, and is quiet once closed', async () => {
    const dir = temporaryDirectory('watch')
    const watch = await new Promise<LogWatch>(resolve => {
      const made: LogWatch = new LogWatch({ base: null, path: join(dir, 'log') }, () => resolve(made))
      writeFileSync(join(dir, 'log'), 'x')
    })
    assert.equal(watch.works, true)
    watch.close()
    assert.equal(watch.works, false)
    removeTemporary(dir)
  })
})
