import { strict as assert } from 'node:assert'
import { assertNoProcessLeft, processesOf, taskProcesses } from '../../support/leftovers.ts'
import { output, untilOutput } from '../../support/output.ts'
import { keyOf, startRecordOf } from '../../support/task-key.ts'
import type { Section } from './adapter.ts'

// Forgets its parent, its session and its signals: what a daemon does, and what somebody does who wants to
// stay.
const daemon =
  '(setsid sh -c \'trap "" TERM HUP INT; echo daemon; : > $HOLDFAST_TASK_DIR/up; while :; do sleep 1; done\' &)'

export const tree: Section = (check, { native }) => {
  check('reaches the whole process group with a graceful stop', ['signals'], async bench => {
    const task = bench.shell('sleep 1000 & sleep 1000 & echo ready; wait')
    await task.start()
    await untilOutput(task, 'ready')
    const { signal, cause } = await task.shutdown({ graceMs: 10_000 })
    assert.deepEqual({ signal, cause }, { signal: 'SIGTERM', cause: 'shutdown' })
    await assertNoProcessLeft(task)
  })

  check(
    "ends with its leader: the result is the leader's, and the children it left are dead",
    async bench => {
      const task = bench.shell('sleep 1000 & (trap "" TERM HUP; while :; do sleep 1; done) & exit 3')
      await task.start()
      const { exitCode, signal, cause } = await task.wait()
      assert.deepEqual({ exitCode, signal, cause }, { exitCode: 3, signal: null, cause: 'exited' })
      await assertNoProcessLeft(task)
    },
  )

  check('completes its result although children hold its output open', async bench => {
    const task = bench.shell('echo before; (sleep 1000; echo after) & exit 0')
    await task.start()
    assert.equal((await task.wait()).logsComplete, true)
    assert.equal(await output(task), 'before\n')
  })

  check(
    'has the shim outside the task: another session, another group, other descriptors',
    ['proc'],
    async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.start()
      const { shim, task: leader } = startRecordOf(task)
      assert.notEqual(shim.pid, leader.pid)
      assert.ok(taskProcesses(keyOf(task)).includes(leader.pid))
      assert.ok(!taskProcesses(keyOf(task)).includes(shim.pid))
    },
  )

  if (native) {
    check('leaves no daemon that forked twice and took a session of its own, at shutdown', async bench => {
      const task = bench.shell(`${daemon}; echo ready; sleep 1000`)
      await task.start()
      await untilOutput(task, 'daemon')
      await task.shutdown({ graceMs: 100 })
      await assertNoProcessLeft(task)
    })

    check('leaves no such daemon when the leader ends by itself', async bench => {
      const task = bench.shell(`${daemon}; until [ -e $HOLDFAST_TASK_DIR/up ]; do sleep 0.02; done; exit 4`)
      await task.start()
      assert.equal((await task.wait()).exitCode, 4)
      assert.match(await output(task), /daemon/)
      await assertNoProcessLeft(task)
    })

    check('leaves nothing of a tree that keeps forking', async bench => {
      const task = bench.shell('echo ready; while :; do (setsid sleep 0.3 &); sleep 0.01; done')
      await task.start()
      await untilOutput(task, 'ready')
      await task.shutdown({ graceMs: 50 })
      await assertNoProcessLeft(task)
    })
    return
  }

  check(
    'ends although a daemon that took a session of its own escapes it, as its documentation warns',
    ['sessions'],
    async bench => {
      const task = bench.shell(`${daemon}; echo ready; sleep 1000`)
      await task.start()
      await untilOutput(task, 'daemon')
      const key = keyOf(task)
      const { leader } = { leader: startRecordOf(task).task }
      try {
        assert.equal((await task.shutdown({ graceMs: 100 })).exitCode, null)
        assert.ok(!processesOf(key).includes(leader.pid))
      } finally {
        for (const pid of processesOf(key)) killIfThere(pid)
      }
    },
  )
}

/** The daemon's own sleep may have ended since it was seen. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
  }
}
