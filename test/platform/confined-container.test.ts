import assert from 'node:assert/strict'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { compiled } from '../support/compiled.ts'
import { inDocker, inRestrictedPod } from '../support/containers.ts'
import { ordinaryUid } from '../support/ordinary-user.ts'
import { type Need, requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

type Container = {
  readonly script: () => string
  readonly uid: number
  /** Of the task. */
  readonly taskUid: number
  readonly needs?: readonly Need[]
}

const containers: Readonly<Record<string, Container>> = {
  "root in Docker's default confinement": { script: inDocker, uid: 0, taskUid: 65534 },
  'a user of a restricted pod': {
    script: inRestrictedPod,
    uid: ordinaryUid,
    taskUid: ordinaryUid,
    needs: ['ordinary-user'],
  },
}

/** What doctor says of these containers is in test/doctor; here is what of it can be seen from inside. */
describe('in a container that was given nothing besides', function () {
  this.timeout(60_000)
  let state: string
  before(function () {
    requires(this, 'linux', 'root', 'native')
  })
  beforeEach(() => {
    state = temporaryDirectory('confined')
  })
  afterEach(() => removeTemporary(state))

  for (const [name, { script, uid, taskUid, needs = [] }] of Object.entries(containers))
    it(`${name}: a task has a user without rights, a filter of its own, rlimits and what its plan shows of the files`, async function () {
      requires(this, ...needs)
      chownSync(state, uid, uid)
      const readable = join(state, 'readable')
      writeFileSync(readable, 'seen', { mode: 0o644 })
      const inside = async (...words: string[]) =>
        execa('sh', ['-c', script(), 'sh', ...words], {
          reject: false,
          extendEnv: false,
          env: { PATH: process.env.PATH, HOME: state, TMPDIR: state },
        })
      const look = `cat ${readable}; id -u; grep -hE "^(CapEff|NoNewPrivs|Seccomp_filters):" /proc/self/status; ulimit -n`
      const program = [process.execPath, compiled('src/cli/main.ts'), '--state-dir', join(state, 'state')]
      const flags = ['--ulimit', 'nofile=77']
      const task = await inside(...program, 'run', ...flags, '--', 'sh', '-c', look)
      assert.equal(task.exitCode, 0, task.stderr)
      assert.deepEqual(task.stdout.split('\n'), [
        `${taskUid}`,
        'CapEff:\t0000000000000000',
        'NoNewPrivs:\t1',
        'Seccomp_filters:\t2',
        '77',
      ])
      assert.match(task.stderr, /readable: Permission denied/)
      // The control: the same user of the same container, and no task.
      const become = uid === taskUid ? [] : ['setpriv', '--reuid', `${taskUid}`, '--clear-groups']
      assert.equal((await inside(...become, 'cat', readable)).stdout, 'seen')
    })
})
