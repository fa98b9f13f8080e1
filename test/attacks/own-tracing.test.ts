import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nativeFeatures } from '../../src/spawn/probe.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { withWorkbench } from '../support/workbench.ts'
import { nativePath } from './hostile.ts'

describe('tools that trace, in a task', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
    if ((nativeFeatures(nativePath())?.landlock ?? 0) === 0) this.skip()
  })

  it('strace follows what the task starts itself', function () {
    if (!existsSync('/usr/bin/strace')) this.skip()
    return withWorkbench('linux', async bench => {
      const text = await outputOf(bench.shell('strace -f -o /tmp/trace true && grep -c execve /tmp/trace'))
      assert.match(text, /^[1-9]/)
    })
  })

  it('gdb runs a program and reads its registers', function () {
    if (!existsSync('/usr/bin/gdb')) this.skip()
    return withWorkbench('linux', async bench => {
      const commands = "-ex 'starti' -ex 'info registers rip' -ex 'kill'"
      assert.match(await outputOf(bench.shell(`gdb -nx -batch ${commands} /bin/true 2>&1`)), /rip +0x/)
    })
  })

  it('AddressSanitizer finds a leak at the end', function () {
    const program = leaky()
    if (program === null) this.skip()
    return withWorkbench('linux', async bench => {
      const task = bench.command('/x/leaky')
      task.command.mounts = [{ source: join(program, '..'), target: '/x', readOnly: true }]
      await outputOf(task)
      assert.match(await output(task, 'stderr'), /LeakSanitizer: detected memory leaks/)
    })
  })

  it('an exec session is not theirs: neither strace nor gdb attaches to it', function () {
    if (!existsSync('/usr/bin/strace') || !existsSync('/usr/bin/gdb')) this.skip()
    return withWorkbench('linux', async bench => {
      const task = bench.shell(`echo ready; until test -e /tmp/go; do :; done; p=$(cat /tmp/go)
        timeout 5 strace -p $p -o /dev/null 2>&1; timeout 20 gdb -nx -batch -p $p 2>&1; echo end; exec sleep 1000`)
      await task.start()
      await untilOutput(task, 'ready')
      const session = task.exec(
        '/bin/sh',
        '-c',
        'echo $$ > /tmp/go.tmp; mv /tmp/go.tmp /tmp/go; exec sleep 60',
      )
      await session.start()
      const text = await untilOutput(task, 'end')
      assert.match(text, /strace: attach: .*(Operation not permitted|Permission denied)/)
      assert.match(text, /ptrace: (Operation not permitted|Permission denied)|Could not attach/)
      assert.equal(session.state, 'running')
    })
  })
})

/** Null where there is no compiler that can. */
function leaky(): string | null {
  const dir = temporaryDirectory('leaky')
  const [source, program] = [join(dir, 'leaky.c'), join(dir, 'leaky')]
  writeFileSync(
    source,
    '#include <stdlib.h>\nint main(void) { volatile char *p = malloc(77); p[0] = 1; p = NULL; return 0; }\n',
  )
  try {
    execFileSync('cc', ['-fsanitize=address', '-O0', '-o', program, source], { stdio: 'pipe' })
  } catch {
    return null
  }
  for (const path of [dir, program]) chmodSync(path, 0o755)
  return program
}
