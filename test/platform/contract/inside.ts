import { strict as assert } from 'node:assert'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor, HoldfastError, TaskResult } from '../../../src/index.ts'
import { assertNoProcessLeft, assertNothingLeft, untilNoneLeft } from '../../support/leftovers.ts'
import { output, outputOf, untilOutput } from '../../support/output.ts'
import { hasCgroups } from '../../support/host-mode.ts'
import { isRoot } from '../../support/identity.ts'
import { refuses } from '../../support/refuses.ts'
import { directoryOf, keyOf, startRecordOf } from '../../support/task-key.ts'
import type { Workbench } from '../../support/workbench.ts'
import type { Section } from './adapter.ts'

const waiting = 'echo ready; while :; do sleep 0.05; done'

async function running(bench: Workbench, script = waiting): Promise<Executor> {
  const task = bench.shell(script)
  await task.start()
  await untilOutput(task, 'ready')
  return task
}

/** Counts the processes that the task's own pid namespace shows of these tests' sleepers. */
function sleepersIn(bench: Workbench, task: Executor): Executor {
  return bench.shellIn(task, 'cat /proc/[0-9]*/cmdline | tr "\\0" "\\n" | grep -c "^1000$"')
}

/** A second command inside a running task. */
export const inside: Section = (check, { platform, native }) => {
  check('has a result, logs, a key and an id of its own', async bench => {
    const task = await running(bench)
    const session = bench.shellIn(task, 'echo out; echo err >&2; exit 7')
    assert.equal(session.state, 'configured')
    await session.start()
    const { exitCode, signal, cause, evidence, logsComplete } = await session.wait()
    assert.deepEqual(
      { exitCode, signal, cause, evidence, logsComplete },
      { exitCode: 7, signal: null, cause: 'exited', evidence: 'record', logsComplete: true },
    )
    assert.deepEqual([await output(session), await output(session, 'stderr')], ['out\n', 'err\n'])
    assert.notEqual(session.id(), task.id())
    assert.equal(await output(task), 'ready\n')
    assert.equal(task.state, 'running')
  })

  check('rotates its own logs as the task does, and takes them along', async bench => {
    const task = bench.shell('seq 1 3000; echo ready; sleep 1000')
    task.command.logs = { maxBytes: 4096, maxFiles: 3 }
    await task.start()
    await untilOutput(task, 'ready')
    const whole = bench.shellIn(task, 'for i in 1 2 3 4 5; do seq ${i}000 ${i}999; sleep 0.1; done')
    whole.command.logs = { maxBytes: 4096, maxFiles: 20 }
    await whole.start()
    const all = Array.from({ length: 5000 }, (_, index) => `${index + 1000}\n`).join('')
    const followed = output(whole, 'stdout', { follow: true })
    assert.equal((await whole.wait()).logsComplete, true)
    assert.equal(await followed, all)
    assert.equal(await output(whole), all)
    const bounded = bench.exec(task, '/bin/seq', '1000', '5999')
    assert.deepEqual(bounded.command.logs, task.command.logs, 'unless it is told otherwise')
    const kept = await outputOf(bounded)
    assert.equal(kept, all.slice(-kept.length))
    assert.equal(kept.length, 2 * 4096 + (all.length % 4096))
    const logs = (session: Executor): string[] =>
      readdirSync(join(bench.stateDir, 'tasks', keyOf(session))).filter(name => name.startsWith('stdout'))
    assert.deepEqual(logs(bounded).sort(), ['stdout', 'stdout.1', 'stdout.2'])
    assert.equal(logs(whole).length, 7)
    await whole.destroy()
    assert.equal(existsSync(join(bench.stateDir, 'tasks', keyOf(whole))), false)
    assert.ok((await output(task)).endsWith('3000\nready\n'))
  })

  check('has its output carried, also where the task writes its logs itself', async bench => {
    const task = bench.shell('echo ready; sleep 1000')
    task.command.logs = 'plain'
    await task.start()
    await untilOutput(task, 'ready')
    const session = bench.exec(task, '/bin/sh', '-c', 'while :; do echo more; done')
    await session.limit({ outputBytes: 10_000 })
    await session.start()
    assert.equal(session.enforcement.find(({ name }) => name === 'outputBytes')?.status, 'enforced')
    assert.equal((await session.wait()).cause, 'output')
    assert.equal(task.state, 'running')
  })

  check('shares the directories of the task, and begins with its environment', async bench => {
    const task = bench.shell('echo of-the-task > $HOLDFAST_TASK_DIR/note; echo ready; sleep 1000')
    task.command.env = { GREETING: 'hello' }
    await task.start()
    await untilOutput(task, 'ready')
    const session = bench.shellIn(task, 'cat $HOLDFAST_TASK_DIR/note; echo $GREETING $OWN')
    session.command.env.OWN = 'world'
    assert.equal(await outputOf(session), 'of-the-task\nhello world\n')
    assert.deepEqual(task.command.env, { GREETING: 'hello' })
  })

  check('finds a program by its name on the PATH it is given', ['unix-environment'], async bench => {
    const task = await running(bench)
    assert.equal(await outputOf(task.exec('echo', 'found')), 'found\n')
    const lost = task.exec('echo')
    lost.command.env.PATH = '/nowhere'
    await refuses(lost.start(), { code: 'START_FAILED', stage: 'exec', errno: 'ENOENT' })
    assert.equal((await lost.wait().catch(({ code }: HoldfastError) => code)) !== undefined, true)
    assert.equal(task.state, 'running')
  })

  check('is stopped and killed with its own tree, and the task goes on', ['signals'], async bench => {
    const task = await running(bench)
    const polite = bench.shellIn(task, 'trap "exit 9" TERM; echo on; while :; do sleep 0.05; done')
    const deaf = bench.shellIn(task, 'trap "" TERM; sleep 1000 & (sleep 1000 & sleep 1000) & echo on; wait')
    for (const session of [polite, deaf]) await session.start()
    for (const session of [polite, deaf]) await untilOutput(session, 'on')
    const [stopped, forced] = await Promise.all([
      polite.shutdown({ graceMs: 10_000 }),
      deaf.shutdown({ graceMs: 50 }),
    ])
    assert.deepEqual([stopped.exitCode, stopped.cause], [9, 'shutdown'])
    assert.deepEqual([forced.signal, forced.cause], ['SIGKILL', 'forced'])
    for (const session of [polite, deaf]) await assertNoProcessLeft(session)
    if (platform === 'linux') assert.equal(await outputOf(sleepersIn(bench, task)), '0\n')
    assert.equal(task.state, 'running')
  })

  check('gets signals', ['signals'], async bench => {
    const task = await running(bench)
    const session = bench.shellIn(task, 'trap "exit 3" USR1; echo on; while :; do sleep 0.05; done')
    await session.start()
    await untilOutput(session, 'on')
    await session.signal('SIGUSR1')
    assert.equal((await session.wait()).exitCode, 3)
  })

  check('ends when the task ends, and says how', async bench => {
    const task = await running(bench)
    const sessions = [bench.exec(task, '/bin/sleep', '1000'), bench.exec(task, '/bin/sleep', '1000')]
    for (const session of sessions) await session.start()
    await task.forceStop()
    for (const session of sessions) {
      const { exitCode, signal, cause, evidence } = await session.wait()
      assert.deepEqual(
        { exitCode, signal, cause, evidence },
        { exitCode: null, signal: 'SIGKILL', cause: 'forced', evidence: 'record' },
      )
    }
  })

  check('ends when the leader of the task exits by itself', async bench => {
    const task = bench.shell('echo ready; until [ -e $HOLDFAST_TASK_DIR/go ]; do sleep 0.02; done; exit 4')
    await task.start()
    await untilOutput(task, 'ready')
    const session = bench.exec(task, '/bin/sleep', '1000')
    await session.start()
    // Which may itself be ended before it is done.
    await bench.shellIn(task, 'echo > $HOLDFAST_TASK_DIR/go').start()
    const [ended, result] = await Promise.all([task.wait(), session.wait()])
    assert.equal(ended.exitCode, 4)
    assert.deepEqual([result.signal, result.cause], ['SIGKILL', 'forced'])
  })

  check('is told of by the streams of its supervisor, and is one of its tasks', async bench => {
    const results: TaskResult[] = []
    const states: string[] = []
    bench.supervisor.results$.subscribe(result => results.push(result))
    const task = await running(bench)
    bench.supervisor.transitions$.subscribe(({ task: { key }, to }) => states.push(`${key} ${to}`))
    const session = bench.shellIn(task, 'exit 2')
    await session.start()
    await session.wait()
    assert.ok(bench.supervisor.tasks.get(keyOf(session)))
    assert.deepEqual(
      results.map(({ task: { key, name }, exitCode }) => [key, name, exitCode]),
      [[keyOf(session), 'sh.sh', 2]],
    )
    assert.deepEqual(
      states,
      ['limited', 'running', 'exited'].map(state => `${keyOf(session)} ${state}`),
    )
  })

  check(
    'is taken over by its id, with its result, and stopped by whoever took it over',
    ['signals'],
    async bench => {
      const task = await running(bench)
      const [one, two] = [bench.exec(task, '/bin/sleep', '1000'), bench.shellIn(task, 'echo kept; exit 6')]
      await one.start()
      await two.start()
      await two.wait()
      const other = bench.another()
      const [taken, ended] = await Promise.all([other.open(one.id()), other.open(two.id())])
      assert.deepEqual([(await ended.wait()).exitCode, await output(ended)], [6, 'kept\n'])
      assert.deepEqual(taken.enforcement, one.enforcement)
      assert.equal(taken.state, 'running')
      const [stopped, here] = await Promise.all([taken.shutdown(), one.wait()])
      assert.equal(stopped.cause, 'shutdown')
      assert.deepEqual(here, stopped)
    },
  )

  check('is begun by a supervisor that has taken the task over', async bench => {
    const task = await running(bench)
    const taken = await bench.another().open(task.id())
    const session = bench.shellIn(taken, 'exit 8')
    await session.start()
    assert.equal((await session.wait()).exitCode, 8)
    // What is inside of it is inside of the task.
    const outer = bench.exec(taken, '/bin/sleep', '1000')
    await outer.start()
    assert.equal(await outputOf(bench.shellIn(outer, 'echo deeper')), 'deeper\n')
    assert.equal((await outer.forceStop()).cause, 'forced')
  })

  check('leaves nothing after destroy(), and the task untouched', async bench => {
    const task = await running(bench)
    const session = bench.exec(task, '/bin/sleep', '1000')
    await session.start()
    const [key, directory] = [keyOf(session), directoryOf(session)]
    await session.destroy()
    assertNothingLeft(key, bench.stateDir)
    assert.equal(existsSync(directory), false)
    assert.equal(task.state, 'running')
  })

  check('is refused where no task runs', async bench => {
    const task = bench.shell('exit 0')
    assert.throws(() => task.exec('true'), { code: 'INVALID_STATE' })
    await task.start()
    await task.wait()
    assert.throws(() => task.exec('true'), { code: 'INVALID_STATE' })
    const another = await running(bench)
    const late = another.exec('true')
    await another.forceStop()
    await refuses(late.start(), { code: 'INVALID_STATE' })
    assert.deepEqual(bench.keys().sort(), [keyOf(task), keyOf(another)].sort())
  })

  check('refuses a directory of its own, and what is not a command', async bench => {
    const task = await running(bench)
    const session = task.exec('true')
    await refuses(session.configureTaskDir('x', {} as never), { code: 'INVALID_STATE' })
    assert.throws(() => task.exec(''), { code: 'INVALID_ARGUMENT' })
    session.command.seccomp = 'off'
    await refuses(session.start(), { code: 'INVALID_ARGUMENT', message: /command\.seccomp/ })
    delete session.command.seccomp
    session.command.cwd = 'relative'
    await refuses(session.start(), { code: 'INVALID_ARGUMENT', message: /command\.cwd/ })
  })

  check('is ended by a time limit of its own', async bench => {
    const task = await running(bench)
    const session = bench.exec(task, '/bin/sleep', '1000')
    await session.limit({ wallTimeMs: 100, iops: 100 })
    await session.start()
    assert.equal((await session.wait()).cause, 'timeout')
    const rows = new Map(session.enforcement.map(row => [row.name, row]))
    assert.equal(rows.get('wallTimeMs')?.status, 'enforced')
    assert.equal(rows.get('iops')?.status, 'skipped')
    assert.ok(rows.get('inside'))
    assert.equal(task.state, 'running')
  })

  check('stays what it was when many begin at the same time', async bench => {
    const task = await running(bench)
    const sessions = Array.from({ length: 8 }, (_, n) => bench.shellIn(task, `echo ${n}; exit ${n}`))
    await Promise.all(sessions.map(session => session.start()))
    const ends = await Promise.all(sessions.map(session => session.wait()))
    assert.deepEqual(
      ends.map(({ exitCode }) => exitCode),
      sessions.map((_, n) => n),
    )
    assert.deepEqual(
      await Promise.all(sessions.map(session => output(session))),
      sessions.map((_, n) => `${n}\n`),
    )
  })

  if (platform === 'basic') {
    check('is a process beside the task’s: what it leaves behind ends with it', async bench => {
      const task = await running(bench)
      const session = bench.shellIn(task, 'sleep 1000 & exit 0')
      await session.start()
      assert.equal((await session.wait()).exitCode, 0)
      await assertNoProcessLeft(session)
      assert.equal(session.enforcement.find(({ name }) => name === 'inside')?.status, 'skipped')
    })
    if (native) return
  }
  if (platform !== 'linux') return

  check(
    'is in every namespace, root and cgroup of the task, with no privilege that it lacks',
    async bench => {
      const task = bench.shell(
        'grep -E "Cap|NoNewPrivs|Seccomp:" /proc/self/status; readlink /proc/self/ns/*; ls /; hostname; id; echo ready; sleep 1000',
      )
      await task.limit({ memoryMB: 64, pids: 20 })
      await task.start()
      const told = (await untilOutput(task, 'ready')).replace('ready\n', '')
      const session = bench.exec(task, '/bin/sh', ...task.command.args)
      await session.start()
      assert.equal((await untilOutput(session, 'ready')).replace('ready\n', ''), told)
      const cgroups = (of: Executor): string =>
        readFileSync(`/proc/${startRecordOf(of).task.pid}/cgroup`, 'utf8')
      assert.equal(cgroups(session), cgroups(task))
      if (hasCgroups()) assert.ok(cgroups(session).includes(keyOf(task)))
      await session.forceStop()
    },
  )

  if (hasCgroups())
    check('counts in the limits of the task, and is killed by them', async bench => {
      // The task itself forks no more: what it gives back for a moment others would get, and then it could
      // not go on.
      const still = 'echo ready; exec sleep 1000'
      const task = bench.shell(still)
      await task.limit({ memoryMB: 24, pids: 8 })
      await task.start()
      await untilOutput(task, 'ready')
      const forking = bench.shellIn(
        task,
        'read go; i=0; while [ $i -lt 30 ]; do i=$((i+1)); sleep 1000 & done; exit 0',
      )
      const go = new Readable({ read() {} })
      forking.command.stdin = go
      await forking.start()
      // Who has brought it in counts until it is gone, and would leave room for one more.
      while ((await task.usage()).pids !== 2) await sleep(10)
      go.push('\n')
      assert.equal((await forking.wait()).exitCode, 2)
      assert.match(await output(forking, 'stderr'), /fork/i)
      // Those that it left are the task's, and go on counting.
      await refuses(task.exec('true').start(), { code: 'START_FAILED', errno: 'EAGAIN' })
      assert.equal(task.state, 'running')
      const roomy = await running(bench, still)
      await roomy.update({ memoryMB: 24 })
      const hungry = bench.exec(roomy, '/usr/bin/tail', '/dev/zero')
      await hungry.start()
      const { signal, cause, oomKilled } = await hungry.wait()
      assert.deepEqual({ signal, cause, oomKilled }, { signal: 'SIGKILL', cause: 'oom', oomKilled: true })
      // It has used up what is the task's: they go as one, and each says why.
      assert.equal((await roomy.wait()).cause, 'oom')
    })

  check(
    'leaves behind to the task what has left its session, and the end of the task takes it along',
    async bench => {
      const task = await running(bench)
      const session = bench.exec(
        task,
        '/bin/sh',
        '-c',
        // Gone only when both have left its session: until then they are its tree, and would end with it.
        'cd $HOLDFAST_TASK_DIR; for at in a b; do (setsid sh -c ": > $at; exec sleep 1000" &); done; until [ -e a ] && [ -e b ]; do sleep 0.02; done',
      )
      await session.start()
      assert.equal((await session.wait()).exitCode, 0)
      // They may be on their way to exec still; fewer than two is a fault that no time mends.
      while ((await outputOf(sleepersIn(bench, task))) !== '2\n') await sleep(20)
      await task.shutdown({ graceMs: 50 })
      await assertNoProcessLeft(task)
    },
  )

  if (isRoot)
    check('runs as another user when told to, and has the rlimits of the task or its own', async bench => {
      const task = bench.shell(waiting)
      await task.limit({ rlimits: { nofile: 77, core: 0 } })
      await task.start()
      await untilOutput(task, 'ready')
      const root = bench.shellIn(task, 'id -u; ulimit -n; grep CapEff /proc/self/status')
      root.command.user = 'root'
      assert.equal(await outputOf(root), '0\n77\nCapEff:\t0000000000000000\n')
      const own = bench.shellIn(task, 'ulimit -n; ulimit -c')
      await own.limit({ rlimits: { nofile: 55 } })
      assert.equal(await outputOf(own), '55\n0\n')
    })

  check(
    'says so when the task ends while the start is on its way, and nothing is left of it',
    async bench => {
      for (let round = 0; round < 12; round++) {
        const task = await running(bench)
        const session = bench.exec(task, '/bin/sleep', '1000')
        const start = session.start().then(
          () => null,
          (error: HoldfastError) => error,
        )
        if (round % 2 === 0) await new Promise(resolve => setTimeout(resolve, round / 2))
        process.kill(startRecordOf(task).task.pid, 'SIGKILL')
        const error = await start
        await task.wait()
        if (error === null) {
          assert.equal((await session.wait()).signal, 'SIGKILL')
          await assertNoProcessLeft(session)
        } else {
          assert.deepEqual(
            [error.code, error.stage, error.errno],
            ['START_FAILED', 'task', 'ESRCH'],
            error.message,
          )
          // A shim says why there was no start, and then goes.
          await untilNoneLeft([keyOf(session)])
        }
        assert.equal(existsSync(join(bench.stateDir, 'allocs', keyOf(session))), false)
        await session.destroy()
        await task.destroy()
      }
    },
  )

  check('does without the namespaces that the task does without', async bench => {
    for (const namespaces of [
      { pid: false },
      { mount: false, pid: false },
      { mount: false, uts: false, ipc: false, cgroup: false },
    ]) {
      const task = bench.shell(waiting)
      task.command.namespaces = namespaces
      await task.start()
      await untilOutput(task, 'ready')
      const session = bench.shellIn(task, 'trap "" TERM; sleep 1000 & echo on; wait')
      await session.start()
      await untilOutput(session, 'on')
      assert.equal(session.state, 'running')
      assert.equal((await session.shutdown({ graceMs: 50 })).cause, 'forced')
      const other = bench.exec(task, '/bin/sleep', '1000')
      await other.start()
      await task.forceStop()
      assert.deepEqual([(await other.wait()).signal, (await other.wait()).cause], ['SIGKILL', 'forced'])
      await assertNoProcessLeft(other)
    }
  })
}
