import { strict as assert } from 'node:assert'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type Executor, type HoldfastError } from '../../src/index.ts'
import type { Section } from '../platform/contract/adapter.ts'
import { adapters } from '../platform/contract/adapter.ts'
import { declare } from '../platform/contract.ts'
import { untilNoneLeft } from '../support/leftovers.ts'
import { output, outputOf } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { keyOf } from '../support/task-key.ts'

/**
 * The start is refused in these words, with a hint, and nothing runs; withWorkbench sees that nothing is
 * left.
 */
async function startRefused(task: Executor, expected: Parameters<typeof refuses>[1]): Promise<HoldfastError> {
  const error = await refuses(task.start(), { hint: /\w/, ...expected })
  const result = await task.wait()
  assert.equal(result.cause, 'startFailed')
  assert.equal(result.error?.message, error.message)
  assert.equal(result.error?.hint, error.hint)
  await untilNoneLeft([keyOf(task)])
  return error
}

const programs: Section = (check, { platform, native }) => {
  check('a file that may not be executed: EACCES at exec', async bench => {
    const place = bench.directory('program')
    chmodSync(place, 0o755)
    writeFileSync(join(place, 'plain'), '#!/bin/sh\nexit 0\n', { mode: 0o644 })
    const task = bench.command(platform === 'linux' ? '/opt/plain' : join(place, 'plain'))
    if (platform === 'linux') task.command.mounts = [{ source: place, target: '/opt', readOnly: true }]
    await startRefused(task, { code: 'START_FAILED', stage: 'exec', errno: 'EACCES' })
  })

  check('a directory as program: EACCES at exec', async bench => {
    await startRefused(bench.command('/usr'), { code: 'START_FAILED', stage: 'exec', errno: 'EACCES' })
  })

  check(
    'a file that is no program: ENOEXEC at exec (the portable shim tries it as a shell script), never a success',
    async bench => {
      const place = bench.directory('program')
      chmodSync(place, 0o755)
      writeFileSync(join(place, 'garbage'), '\x7fELF and nothing more', { mode: 0o755 })
      const task = bench.command(platform === 'linux' ? '/opt/garbage' : join(place, 'garbage'))
      if (platform === 'linux') task.command.mounts = [{ source: place, target: '/opt', readOnly: true }]
      if (native) await startRefused(task, { code: 'START_FAILED', stage: 'exec', errno: 'ENOEXEC' })
      else await task.start()
      assert.equal((await task.wait()).successful, false)
    },
  )

  check(
    'a script whose interpreter is missing: ENOENT at exec, and the hint speaks of the interpreter',
    async bench => {
      const place = bench.directory('program')
      chmodSync(place, 0o755)
      writeFileSync(join(place, 'script'), '#!/no/such/interpreter\n', { mode: 0o755 })
      const task = bench.command(platform === 'linux' ? '/opt/script' : join(place, 'script'))
      if (platform === 'linux') task.command.mounts = [{ source: place, target: '/opt', readOnly: true }]
      await startRefused(task, { code: 'START_FAILED', stage: 'exec', errno: 'ENOENT', hint: /interpreter/ })
    },
  )

  check('an argument list over the limit of the kernel: E2BIG at exec', async bench => {
    const task = bench.command('/bin/true', ...Array.from({ length: 40 }, () => 'x'.repeat(100_000)))
    await startRefused(task, { code: 'START_FAILED', stage: 'exec', errno: 'E2BIG' })
  })

  check('an environment of 1 MiB in many variables: works, and arrives whole', async bench => {
    const task = bench.shell('env | wc -c')
    for (let index = 0; index < 64; index++) task.command.env[`BIG_${index}`] = 'x'.repeat(16 * 1024)
    const size = Number(await outputOf(task))
    assert.equal((await task.wait()).exitCode, 0)
    assert.ok(size > 1024 * 1024, `${size}`)
  })

  check('a single variable of 1 MiB: E2BIG at exec', async bench => {
    const task = bench.command('/bin/true')
    task.command.env.BIG = 'x'.repeat(1024 * 1024)
    await startRefused(task, { code: 'START_FAILED', stage: 'exec', errno: 'E2BIG' })
  })
}

const surroundings: Section = (check, { platform }) => {
  check('an unknown user or group', async bench => {
    const user = bench.shell('exit 0')
    user.command.user = 'no-such-user'
    await startRefused(user, { message: /no-such-user/ })
    const group = bench.shell('exit 0')
    group.command.user = 'nobody'
    group.command.group = 'no-such-group'
    await startRefused(group, { message: /no-such-group/ })
  })

  check('a working directory that does not exist, or is a file', async bench => {
    const absent = bench.shell('exit 0')
    absent.command.cwd = '/no/such/place'
    await startRefused(absent, { code: 'START_FAILED', stage: 'chdir', errno: 'ENOENT' })
    const file = bench.shell('exit 0')
    file.command.cwd = '/etc/passwd'
    await startRefused(file, { code: 'START_FAILED', stage: 'chdir', errno: 'ENOTDIR' })
  })

  check('a working directory the user may not enter', async bench => {
    const place = bench.directory('closed')
    mkdirSync(join(place, 'inner'), { mode: 0o700 })
    const task = bench.shell('exit 0')
    task.command.user = 'nobody'
    task.command.cwd = platform === 'linux' ? '/closed/inner' : join(place, 'inner')
    if (platform === 'linux') task.command.mounts = [{ source: place, target: '/closed' }]
    await startRefused(task, { code: 'START_FAILED', stage: 'chdir', errno: 'EACCES' })
  })

  check('a standard input that does not exist', async bench => {
    const task = bench.shell('exit 0')
    task.command.stdin = '/no/such/input'
    await startRefused(task, { code: 'START_FAILED', stage: 'stdin', errno: 'ENOENT' })
  })

  check('a log where a directory lies, or in a directory that does not exist', async bench => {
    const directory = bench.shell('exit 0')
    directory.command.stdout = '/usr'
    await startRefused(directory, { code: 'START_FAILED', stage: 'log', errno: 'EISDIR' })
    const nowhere = bench.shell('exit 0')
    nowhere.command.stderr = '/no/such/place/log'
    await startRefused(nowhere, { code: 'START_FAILED', stage: 'log', errno: 'ENOENT' })
  })

  check('relative paths and wrong types in the command: INVALID_ARGUMENT naming the field', async bench => {
    const wrong: [field: string, value: unknown][] = [
      ['cwd', 'relative'],
      ['umask', 0o1000],
      ['args', ['with\0nul']],
      ['env', { 'A=B': 'x' }],
      ['nice', 99],
    ]
    for (const [field, value] of wrong) {
      const task = bench.shell('exit 0')
      Object.assign(task.command, { [field]: value })
      await refuses(task.start(), { code: 'INVALID_ARGUMENT', message: new RegExp(field) })
      assert.equal(task.state, 'configured', field)
    }
  })

  check('a task name with a slash, dots or NUL: INVALID_ARGUMENT, and no directory is made', async bench => {
    const alloc = new AllocDir(bench.directory('alloc'))
    for (const name of [
      'a/b',
      '../evil',
      '..',
      '.',
      '',
      'nul\0name',
      '/absolute',
      'alloc',
      'x'.repeat(200),
    ]) {
      await refuses(alloc.build([name]), { code: 'INVALID_ARGUMENT', message: /task name/ })
    }
    await alloc.build(['good'])
    await refuses(bench.shell('exit 0').configureTaskDir('../good', alloc), { code: 'NOT_FOUND' })
  })

  check('a program name that is no good as a task name: the task gets one that is', async bench => {
    const place = bench.directory('program')
    chmodSync(place, 0o755)
    writeFileSync(join(place, 'odd name; $x'), '#!/bin/sh\necho fine\n', { mode: 0o755 })
    const task = bench.command(join(platform === 'linux' ? '/opt' : place, 'odd name; $x'))
    if (platform === 'linux') task.command.mounts = [{ source: place, target: '/opt', readOnly: true }]
    assert.equal(await outputOf(task), 'fine\n')
  })
}

const limits: Section = check => {
  check('limits at and beyond their ends', async bench => {
    const refused = [
      { cpu: 1 },
      { cpuLimit: 0 },
      { cpuLimit: Number.NaN },
      { memoryMB: 0 },
      { memoryBytes: 1.5 },
      { memoryMB: 1, memoryBytes: 1024 * 1024 },
      { pids: 0 },
      { iops: 9 },
      { iops: 1001 },
      { cpuset: '3-1' },
      { rlimits: { nofile: [2, 1] as [number, number] } },
      { wallTimeMs: 0 },
    ]
    for (const resources of refused) {
      const field = Object.keys(resources).at(-1) ?? ''
      await refuses(bench.shell('exit 0').limit(resources), {
        code: 'INVALID_ARGUMENT',
        message: new RegExp(field),
      })
    }
    const smallest = bench.shell('exit 0')
    await smallest.limit({ cpu: 2, cpuLimit: 0.01, pids: 1, memoryBytes: 1024 * 1024 * 16, iops: 10 })
    await smallest.start()
    assert.equal((await smallest.wait()).exitCode, 0)
  })

  check('limits that no host has a use for, but which are allowed', async bench => {
    const task = bench.shell('exit 0')
    await task.limit({ cpu: 262_144, memoryMB: 1024 * 1024, pids: 4_194_304, iops: 1000 })
    await task.start()
    assert.equal((await task.wait()).exitCode, 0)
    assert.equal(await output(task, 'stderr'), '')
  })
}

for (const adapter of adapters) {
  declare(`bad input to the ${adapter.title} executor`, adapter, {
    programs,
    surroundings,
    // Refused before any shim is asked.
    ...(adapter.native && { limits }),
  })
}
