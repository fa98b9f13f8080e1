import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compiled, looking, parseVerdicts, tracing } from './hostile.ts'
import { parseStartRecord } from './start-record.ts'
import { isRoot } from '../support/identity.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { parentOf } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'

/**
 * An ordinary user's task is of the same user as its shim, its supervisor and all else that user runs: what
 * keeps it from them here is not the user.
 */
describe('attack: a task on what else its user has', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
    if (!isRoot) return
    process.stderr.write(
      'SKIPPED attack: a task on what else its user has: root runs it as another user (test/rootless.test.ts)\n',
    )
    this.skip()
  })

  it('without a pid namespace the shim, the spawner and other programs can be seen, and neither traced nor read', () =>
    withWorkbench('linux', async bench => {
      const bystander = Number(
        execFileSync('sh', ['-c', 'sleep 60 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' }),
      )
      try {
        for (const [name, find] of Object.entries({
          shim: (key: string) => parseStartRecord(bench.stateDir, key).shim,
          spawner: (key: string) => parentOf(parseStartRecord(bench.stateDir, key).shim),
          bystander: () => bystander,
        })) {
          const task = bench.shell(
            'until [ -s /local/pid ]; do sleep 0.05; done; exec /tmp/hostile/init $(cat /local/pid)',
          )
          const mounts = [{ source: join(compiled('init'), '..'), target: '/tmp/hostile', readOnly: true }]
          // It kills the shim, which would take what it has written along: it writes its log itself.
          Object.assign(task.command, { namespaces: { pid: false }, seccomp: 'off', mounts, logs: 'plain' })
          await task.start()
          writeFileSync(join(parseStartRecord(bench.stateDir, task.key).local, 'pid'), String(find(task.key)))
          await untilOutput(task, 'kcmp').catch(() => {})
          await task.wait()
          const seen = parseVerdicts(await output(task))
          for (const means of [...looking, ...tracing])
            assert.ok(
              ['EACCES', 'EPERM'].includes(seen[means] ?? ''),
              `${means} of the ${name}: ${seen[means]}`,
            )
        }
      } finally {
        try {
          process.kill(bystander, 'SIGKILL')
        } catch {
          // The task may signal it: it is of its user, and the pid namespace was given up on purpose.
        }
      }
    }))

  it('no path leads to the records, to the home or to another task, and no name of another process', () =>
    withWorkbench('linux', async bench => {
      const secret = bench.directory('secret')
      writeFileSync(join(secret, 'note'), 'secret')
      chmodSync(secret, 0o700)
      const other = bench.command('/bin/sleep', '60')
      await other.start()
      const { task: leader, shim } = parseStartRecord(bench.stateDir, other.key)
      const paths = [
        bench.stateDir,
        secret,
        `/proc/${leader}`,
        `/proc/${shim}`,
        '/proc/1/root/tmp',
        '/run',
        '/home',
        '/sys/kernel',
        '/sys/class',
      ]
      const task = bench.shell(
        `for path in ${paths.join(' ')}; do ls -d $path; done 2>/dev/null; kill -0 ${shim} 2>/dev/null && echo reached; true`,
      )
      assert.equal(await outputOf(task), '')
      await other.forceStop()
    }))

  it('the /proc that lies beneath its own is not to be had, with the filter off and in a user namespace of its own', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(
        'unshare --user --map-root-user --mount sh -c "umount /proc; umount -l /proc; ls -d /proc/[0-9]* | wc -l; ls /proc/1/root"; true',
      )
      task.command.seccomp = 'off'
      const [count = '', ...rest] = (await outputOf(task)).trim().split('\n')
      assert.ok(Number(count) < 12, `${count} processes are seen`)
      assert.deepEqual(rest, [])
    }))

  it('a task that closes all it owns to its own user is still followed to its end, recorded and removed', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(
        'mkdir -p /local/a/b /alloc/data/c; echo said; chmod 0 /local/a/b /local/a /alloc/data/c /local /alloc/logs /alloc; exit 7',
      )
      await task.start()
      const { exitCode, cause, evidence } = await task.wait()
      assert.deepEqual({ exitCode, cause, evidence }, { exitCode: 7, cause: 'exited', evidence: 'record' })
      const allocation = join(bench.stateDir, 'allocs', task.key)
      assert.ok(existsSync(allocation))
      await task.destroy()
      assert.deepEqual(readdirSync(join(bench.stateDir, 'allocs')), [])
    }))

  it('what it leaves is its user’s own, and nothing of it is set-user-ID to anybody else', () =>
    withWorkbench('linux', async bench => {
      assert.equal(
        await outputOf(
          bench.shell(
            'touch /local/x; chmod 6755 /local/x; stat -c %u /local/x /alloc/logs; chown 0 /local/x 2>/dev/null || echo kept',
          ),
        ),
        `${process.geteuid?.()}\n${process.geteuid?.()}\nkept\n`,
      )
    }))

  it('kill -9 -1 ends the task and no other program of its user', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('sleep 60 & setsid sleep 60 & kill -9 -1; kill -9 0; echo survived')
      const other = bench.command('/bin/sleep', '60')
      await other.start()
      await task.start()
      const { signal, cause } = await task.wait()
      assert.deepEqual({ signal, cause }, { signal: 'SIGKILL', cause: 'signaled' })
      await sleep(100)
      assert.equal(other.state, 'running')
      assert.equal((await other.forceStop()).cause, 'forced')
    }))
})
