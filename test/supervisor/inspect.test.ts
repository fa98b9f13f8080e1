import { strict as assert } from 'node:assert'
import type { InspectionEvent } from 'xstate'
import { withWorkbench } from '../support/workbench.ts'

describe("XState's own inspection", () => {
  it('hears of every actor of every task, also of one taken over, and of no environment or argument', () =>
    withWorkbench('basic', async bench => {
      const events: InspectionEvent[] = []
      const inspect = (event: InspectionEvent): void => void events.push(event)
      const first = bench.another({ inspect })
      const secret = 'correct-horse-battery'
      const task = bench.commandOf(first, '/bin/sh', '-c', 'exec sleep 1000', secret)
      task.command.env = { PASSWORD: secret }
      await task.start()
      await first.close()
      const second = bench.another({ inspect })
      await second.openAll()
      await second.tasks.get(task.key)?.forceStop()
      const types = events.flatMap(event => (event.type === '@xstate.event' ? event.event.type : []))
      for (const type of ['START', 'xstate.done.actor.launch', 'KILL', 'EXITED'])
        assert.ok(types.includes(type), type)
      const snapshots = events.flatMap(event => (event.type === '@xstate.snapshot' ? event.snapshot : []))
      const states = snapshots
        .map(snapshot => (snapshot as { value?: unknown }).value)
        .map(value => JSON.stringify(value))
      for (const state of [{ limited: 'launching' }, 'running', 'stopping', 'exited'])
        assert.ok(states.includes(JSON.stringify(state)), JSON.stringify(state))
      assert.doesNotMatch(JSON.stringify(snapshots), new RegExp(`${secret}|PASSWORD`))
    }))
})
