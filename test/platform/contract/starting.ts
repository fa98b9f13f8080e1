import { strict as assert } from 'node:assert'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programOf } from '../../support/foreign-programs.ts'
import { output, outputOf, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import { startRecordOf } from '../../support/task-key.ts'
import type { Section } from './adapter.ts'

export const starting: Section = (check, { platform, native }) => {
  check(
    'fails at start for a program that does not exist, naming the stage exec and the errno',
    async bench => {
      const task = bench.command('/no/such/program')
      const error = await refuses(task.start(), { code: 'START_FAILED', stage: 'exec', errno: 'ENOENT' })
      assert.match(error.hint ?? '', /\w/)
      assert.equal(task.state, 'exited')
      const result = await task.wait()
      assert.equal(result.cause, 'startFailed')
      assert.deepEqual([result.exitCode, result.signal, result.successful], [null, null, false])
      assert.equal(result.error?.code, 'START_FAILED')
    },
  )

  check('fails at start for a bare name that is nowhere on the PATH', async bench => {
    await refuses(bench.command('no-such-program-anywhere').start(), {
      code: 'START_FAILED',
      stage: 'exec',
      errno: 'ENOENT',
    })
  })

  check(
    'looks a bare name up on the PATH of the task, not of the supervisor',
    ['interpreters'],
    async bench => {
      const task = bench.command('holdfast-test-greeting')
      const place = bench.directory('path')
      const program = join(place, 'holdfast-test-greeting')
      writeFileSync(program, '#!/bin/sh\necho found\n')
      chmodSync(place, 0o755)
      chmodSync(program, 0o755)
      task.command.env.PATH = `${platform === 'linux' ? '/opt/tools' : place}:/usr/bin:/bin`
      if (platform === 'linux')
        task.command.mounts = [{ source: place, target: '/opt/tools', readOnly: true }]
      assert.equal(await outputOf(task), 'found\n')
    },
  )

  check(
    'goes on past what cannot be run, as execvp(3) does, and says EACCES when there is nothing else',
    ['interpreters'],
    async bench => {
      const [bad, good] = ['bad', 'good'].map(name => bench.directory(name)) as [string, string]
      mkdirSync(join(bad, 'a-folder'))
      writeFileSync(join(bad, 'plain'), '#!/bin/sh\necho wrong\n', { mode: 0o644 })
      writeFileSync(join(bad, 'stray'), '#!/no/such/interpreter\n', { mode: 0o755 })
      for (const name of ['a-folder', 'plain', 'stray', 'behind-a-file'])
        writeFileSync(join(good, name), '#!/bin/sh\necho found\n', { mode: 0o755 })
      for (const place of [bad, good]) chmodSync(place, 0o755)
      const [at, then] = platform === 'linux' ? ['/opt/bad', '/opt/good'] : [bad, good]
      const shown = [
        { source: bad, target: '/opt/bad', readOnly: true },
        { source: good, target: '/opt/good', readOnly: true },
      ]
      const named = (name: string, path: string) => {
        const task = bench.command(name)
        task.command.env.PATH = path
        if (platform === 'linux') task.command.mounts = shown
        return task
      }
      for (const name of ['a-folder', 'plain', 'stray', 'behind-a-file'])
        assert.equal(await outputOf(named(name, `${at}:${at}/plain:/no/such:${then}`)), 'found\n', name)
      const refused = await refuses(named('plain', `${at}:/no/such`).start(), {
        stage: 'exec',
        errno: 'EACCES',
      })
      if (native) assert.match(refused.message, new RegExp(`${at}/plain`))
      const absent = await refuses(named('nobodys', `${at}:${then}`).start(), {
        stage: 'exec',
        errno: 'ENOENT',
      })
      if (native)
        assert.match(absent.message, new RegExp(`nobodys: no such program on PATH, which is ${at}:${then}`))
    },
  )

  check(
    'takes a path with a slash as it is, also one with a colon, whatever the PATH',
    ['interpreters'],
    async bench => {
      const place = bench.directory('a:b')
      writeFileSync(join(place, 'tool'), '#!/bin/sh\necho found\n', { mode: 0o755 })
      chmodSync(place, 0o755)
      const task = bench.command(platform === 'linux' ? '/opt/a:b/tool' : join(place, 'tool'))
      if (platform === 'linux') task.command.mounts = [{ source: place, target: '/opt/a:b', readOnly: true }]
      task.command.env.PATH = ''
      assert.equal(await outputOf(task), 'found\n')
    },
  )

  check('takes an empty directory of the PATH for the working directory', ['interpreters'], async bench => {
    const task = bench.command('tool')
    const place = bench.directory('cwd')
    writeFileSync(join(place, 'tool'), '#!/bin/sh\necho found\n', { mode: 0o755 })
    chmodSync(place, 0o755)
    task.command.env.PATH = '/no/such::/bin'
    task.command.cwd = platform === 'linux' ? '/opt/tools' : place
    if (platform === 'linux') task.command.mounts = [{ source: place, target: '/opt/tools', readOnly: true }]
    assert.equal(await outputOf(task), 'found\n')
  })

  check('has executed the program when start() resolves', async bench => {
    const task = bench.shell('read never < /proc/self/no-such; sleep 1000')
    await task.start()
    assert.equal(task.state, 'running')
  })

  // Unasked nothing is put in: with it, which is the control, the shell runs what the variable holds.
  for (const interpolate of [undefined, true])
    check(
      `what a variable holds is data to the task's shell${interpolate ? ', unless it was asked to interpolate' : ''}`,
      async bench => {
        const task = bench.shell('echo "hello $NAME"')
        task.command.env = { NAME: '"; echo owned; "' }
        if (interpolate) task.command.interpolate = interpolate
        const said = await outputOf(task)
        if (interpolate) assert.match(said, /^owned$/m)
        else assert.equal(said, 'hello "; echo owned; "\n')
      },
    )

  for (const interpolate of [undefined, true])
    check(
      `a secret in the environment is in nobody's argv${interpolate ? ', unless it was asked to interpolate' : ''}`,
      ['proc'],
      async bench => {
        const task = bench.command(
          '/bin/sh',
          '-c',
          'echo ready; sleep 1000',
          'sh',
          '--token=$TOKEN',
          '${TOKEN}',
        )
        task.command.env = { TOKEN: 'hunter2-hunter2' }
        if (interpolate) task.command.interpolate = interpolate
        await task.start()
        await untilOutput(task, 'ready')
        const { task: leader } = startRecordOf(task)
        const argv = readFileSync(`/proc/${leader.pid}/cmdline`, 'utf8')
        assert.equal(argv.includes('hunter2-hunter2'), interpolate === true, argv)
        await task.forceStop()
      },
    )

  check(
    'replaces $NAME and ${NAME} in program and arguments when it is asked to interpolate, and leaves unknown ones',
    async bench => {
      const [shell, ...before] = programOf('/bin/sh', [])
      const task = bench.command(
        '$SHELL_PATH',
        ...before,
        '-c',
        'printf "%s|%s|%s" "$@"',
        'sh',
        '$GREETING',
        '<${GREETING}>',
        '$UNKNOWN ${ALSO_UNKNOWN}',
      )
      task.command.env = { SHELL_PATH: shell, GREETING: 'hello there' }
      task.command.interpolate = true
      assert.equal(await outputOf(task), 'hello there|<hello there>|$UNKNOWN ${ALSO_UNKNOWN}')
    },
  )

  check('passes every argument unchanged, also empty and odd ones', async bench => {
    const task = bench.command(
      '/usr/bin/printf',
      '%s\\n',
      '',
      ' two words ',
      "it's",
      '*',
      'tab\tnew\nline',
      'ünïcödé',
    )
    assert.equal(
      Buffer.from(await outputOf(task), 'latin1').toString(),
      "\n two words \nit's\n*\ntab\tnew\nline\nünïcödé\n",
    )
  })

  check('has the argv0 that was asked for', ['proc'], async bench => {
    const named = bench.shell('cat /proc/$$/cmdline')
    named.command.argv0 = 'my-own-name'
    assert.match(await outputOf(named), /^my-own-name\0-c\0/)
  })

  check('freezes the command', async bench => {
    const task = bench.shell('exit 0')
    await task.start()
    assert.throws(() => {
      task.command.path = '/bin/false'
    }, TypeError)
    assert.throws(() => task.command.args.push('more'), TypeError)
    assert.equal((await task.wait()).exitCode, 0)
  })

  check('starts many tasks at once', async bench => {
    const tasks = Array.from({ length: native ? 16 : 3 }, (_, index) => bench.shell(`echo task ${index}`))
    await Promise.all(tasks.map(task => task.start()))
    await Promise.all(tasks.map(task => task.wait()))
    const said = await Promise.all(tasks.map(task => output(task)))
    assert.deepEqual(
      said,
      tasks.map((_, index) => `task ${index}\n`),
    )
  })
}
