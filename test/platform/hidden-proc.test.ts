import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { compiled } from '../support/compiled.ts'
import { homeOfOrdinaryUser, ordinaryUid } from '../support/ordinary-user.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'

/** What `script` says, run by a user to whom /proc does not show whom that user may not trace. */
function withHiddenProcesses(user: number, script: string, hidepid = 2): string {
  const home = user === 0 ? temporaryDirectory('hidden') : homeOfOrdinaryUser()
  const own = `${process.execPath} ${compiled('src/cli/main.ts')}`
  const inside = [
    `mount -t proc -o hidepid=${hidepid} proc /proc`,
    `exec setpriv --reuid=${user} --regid=${user} --clear-groups env -i HOME=${home} PATH=/usr/bin:/bin ` +
      `HOLDFAST_STATE_DIR=${join(home, 'state')} sh -c 'h() { ${own} "$@"; }; ${script}'`,
  ].join(' && ')
  const { stdout, stderr, error } = spawnSync(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', inside],
    { encoding: 'utf8', timeout: 110_000, cwd: '/' },
  )
  assert.equal(error, undefined, `${String(error)} ${stderr}`)
  return stdout + stderr
}

describe('where /proc hides the processes of others (hidepid)', function () {
  this.timeout(120_000)

  before(function () {
    requires(this, 'root', 'linux', 'native', 'ordinary-user')
  })

  for (const hidepid of [1, 2])
    it(`an ordinary user’s task runs, is stopped, and is never told to have ended (${hidepid})`, () => {
      const said = withHiddenProcesses(
        ordinaryUid,
        `h run --detach --name t -- sleep 1000 >/dev/null 2>&1; echo started $?;
       h verify t; echo verified $?; h exec t -- true; echo entered $?; h ps; h stop t; echo stopped $?`,
        hidepid,
      )
      assert.match(said, /^started 0$/m)
      assert.match(said, /its process may not be read/)
      assert.doesNotMatch(said, /has ended/)
      assert.match(said, /^verified 2$/m)
      assert.match(said, /\/proc hides its processes \(hidepid\): EACCES/)
      assert.match(said, /^entered 125$/m)
      assert.match(said, /^\S+ +t +running /m)
      assert.match(said, /was ended by SIGTERM \(stopped as asked\)/)
      assert.match(said, /^stopped 0$/m)
    })

  it('doctor says so to an ordinary user, and a task whose shim is killed ends with its namespace', () => {
    const said = withHiddenProcesses(
      ordinaryUid,
      `h doctor; h run --detach --name t -- sleep 1000 >/dev/null 2>&1;
       kill -9 $(grep -o "pid\\W*[0-9]*" $HOLDFAST_STATE_DIR/tasks/*/start.json | head -1 | grep -o "[0-9]*$");
       h wait t; h ps --all; pgrep -x sleep; echo left $?`,
    )
    assert.match(said, /proc\s.*hides processes \(hidepid\)/)
    assert.match(said, / t +exited .* lost /)
    assert.match(said, /^left 1$/m)
  })

  it('strict refuses what could not be read back', () => {
    const said = withHiddenProcesses(
      ordinaryUid,
      'h run --strict --user "$(id -u)" -- true; echo refused $?; h ps --all',
    )
    assert.match(said, /no enforced\.json says it|has not been read back/)
    assert.match(said, /^refused 125$/m)
  })

  it('root’s tasks are as anywhere', () => {
    const said = withHiddenProcesses(
      0,
      'h run --detach --name t -- sleep 1000 >/dev/null 2>&1; h verify t; echo verified $?; h exec t -- true; echo entered $?; h kill t; h rm t',
    )
    assert.match(said, /^verified 0$/m)
    assert.match(said, /^entered 0$/m)
  })
})
