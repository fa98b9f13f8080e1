import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { appendFileSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { LogWatch } from '../../src/task/log-watch.ts'
import { eventually } from '../support/eventually.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe('a watch of a log', () => {
  let dir: string
  beforeEach(() => (dir = temporaryDirectory('log-watch')))

  for (const base of [true, false])
    it(`tells of its changes and of no other file's, ${base ? 'beneath a base' : 'by its path'}`, async () => {
      let changes = 0
      const target = base ? { base: dir, path: 'out' } : { base: null, path: join(dir, 'out') }
      const log = new LogWatch(target, () => changes++)
      assert.equal(log.works, true)
      // Of the same directory and after it: what this one hears, that one could have told.
      const control = watch(dir)
      const heard = once(control, 'change')
      writeFileSync(join(dir, 'other'), '')
      await heard
      await turn()
      assert.equal(changes, 0)
      appendFileSync(join(dir, 'out'), 'line\n')
      await eventually(() => assert.ok(changes > 0))
      control.close()
      log.close()
    })

  it('is none, which is no error, where there is no directory; and none any more once closed', () => {
    const none = new LogWatch({ base: null, path: join(dir, 'gone/out') }, () => {})
    assert.equal(none.works, false)
    const log = new LogWatch({ base: dir, path: 'out' }, () => {})
    for (const each of [none, log, log]) each.close()
    assert.equal(log.works, false)
  })
})
