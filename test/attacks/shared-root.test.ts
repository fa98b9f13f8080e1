import assert from 'node:assert/strict'
import type { Command } from '../../src/index.ts'
import { strongest } from '../support/identity.ts'
import { outputOf } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench, type Workbench } from '../support/workbench.ts'

describe('attack: the root that tasks share', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('cannot be changed by any task, not even one of user root', () =>
    withWorkbench('linux', async bench => {
      const before = await run(bench, look)
      const attempts = [
        'touch /planted',
        'rm /bin',
        'ln -sfn /tmp /bin',
        'mkdir /dev/planted',
        'chmod 700 /',
        'chmod 600 /dev/null',
        'chown 1 /dev/null',
        'touch -d 2001-01-01 /dev',
        'mv /etc /tmp/etc',
        'rmdir /alloc',
        'chmod 777 /proc/keys',
      ]
      const script = attempts.map(attempt => `${attempt} 2>/dev/null && echo '${attempt}'`).join(';')
      assert.equal(await run(bench, `${script}; true`, { user: strongest }), '')
      assert.equal(await run(bench, look), before)
    }))

  it('is not given to a task that has capabilities', () =>
    withWorkbench('linux', async bench => {
      const able: Partial<Command> = { user: strongest, seccomp: 'off', capabilities: ['CAP_SYS_ADMIN'] }
      assert.equal(
        await run(bench, 'mount -o remount,rw / && touch /planted && ls /planted', able),
        '/planted\n',
      )
      assert.equal(await run(bench, 'ls -d /planted 2>/dev/null; true'), '')
    }))

  it('shows each task its own /proc, /tmp, /alloc and /local', () =>
    withWorkbench('linux', async bench => {
      const leave = 'for d in /tmp /alloc /local; do touch $d/mine; done; ls /proc | grep -c "^[0-9]"'
      assert.equal(await run(bench, leave), await run(bench, leave))
      assert.equal(await run(bench, 'ls /tmp /alloc /local | grep mine; true'), '')
    }))
})

// Columns are as wide as the number of processes in /proc asks for, which is left out.
const look =
  "ls -la --time-style=full-iso / /dev | grep -v -e alloc -e local -e tmp -e proc -e pts -e shm -e mqueue | tr -s ' '"

function run(bench: Workbench, script: string, options: Partial<Command> = {}): Promise<string> {
  const task = bench.shell(script)
  Object.assign(task.command, options)
  return outputOf(task)
}
