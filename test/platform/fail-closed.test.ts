import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  command,
  type Executor,
  newBasicExecutor,
  newExecutor,
  newLinuxExecutor,
  setCommand,
  Supervisor,
} from '../../src/index.ts'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { destroyAll, start } from '../cli/program.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { withVariable } from '../support/variable.ts'
import { withWorkbench } from '../support/workbench.ts'

/** Whatever may be wrong with the native program. Each gives what HOLDFAST_NATIVE is to name. */
const missing: Readonly<Record<string, (directory: string) => string>> = {
  'it is switched off': () => 'off',
  'there is none': directory => join(directory, 'absent'),
  'it is a directory': directory => directory,
  'it may not be executed': directory => copied(directory, 0o644, bytes => bytes),
  'it is no program': directory => copied(directory, 0o755, () => Buffer.from('holdfast\n')),
  'it is cut off behind its header': directory => copied(directory, 0o755, bytes => bytes.subarray(0, 64)),
  'it is cut off in its program headers': directory =>
    copied(directory, 0o755, bytes => bytes.subarray(0, 70)),
  'it is cut off behind its first page': directory =>
    copied(directory, 0o755, bytes => bytes.subarray(0, 4096)),
  'it is half': directory => copied(directory, 0o755, bytes => bytes.subarray(0, bytes.length / 2)),
  'it maps nothing': directory =>
    copied(directory, 0o755, bytes => {
      bytes.writeUInt16LE(0, 56)
      return bytes
    }),
  'it is for another processor': directory =>
    copied(directory, 0o755, bytes => {
      bytes.writeUInt16LE(process.arch === 's390x' ? 62 : 22, 18)
      return bytes
    }),
  'it is built for a C library that is not here': directory =>
    copied(directory, 0o755, () => withLoader('/lib/ld-of-nobody.so.1')),
  'its loader finds fault with it': directory =>
    copied(directory, 0o755, () => Buffer.from('#!/bin/sh\necho "symbol not found" >&2\nexit 127\n')),
}

function copied(directory: string, mode: number, change: (bytes: Buffer) => Buffer): string {
  const program = nativeProgram()
  assert.ok('path' in program)
  const path = join(directory, 'holdfast-native')
  copyFileSync(program.path, path)
  writeFileSync(path, change(readFileSync(path)))
  chmodSync(path, mode)
  return path
}

/** The smallest 64-bit program that names a dynamic loader. */
function withLoader(loader: string): Buffer {
  const own = readFileSync(process.execPath).subarray(0, 64)
  const bytes = Buffer.alloc(256)
  own.copy(bytes)
  bytes.writeBigUInt64LE(64n, 32)
  bytes.writeUInt16LE(56, 54)
  bytes.writeUInt16LE(2, 56)
  bytes.writeUInt32LE(3, 64)
  bytes.writeBigUInt64LE(192n, 72)
  bytes.writeUInt32LE(1, 120)
  bytes.write(`${loader}\0`, 192, 'latin1')
  return bytes
}

const doors: Readonly<Record<string, (supervisor: Supervisor) => Executor>> = {
  'command()': () => command('true'),
  'newExecutor()': () => newExecutor(),
  'newLinuxExecutor()': () => newLinuxExecutor(),
  'supervisor.command()': supervisor => supervisor.command('true'),
  'supervisor.executor()': supervisor => supervisor.executor(),
}

describe('without a native program that runs, nothing falls back to less', function () {
  this.timeout(180_000)
  let directory: string
  before(function () {
    requires(this, 'linux', 'native')
  })
  beforeEach(() => {
    directory = temporaryDirectory('closed')
  })
  afterEach(async () => {
    await destroyAll(join(directory, 'state'))
    removeTemporary(directory)
  })

  /** Not in the directory above the state, which nobody else may write to. */
  function noteForAll(): string {
    const notes = mkdtempSync(join(directory, 'notes-'))
    chmodSync(notes, 0o777)
    return join(notes, 'note')
  }

  /** Everybody may write to it: whoever ran, as whoever, would leave a note. */
  function noting(executor: Executor): { note: string; executor: Executor } {
    const note = noteForAll()
    setCommand(executor, '/bin/sh', ['-c', `echo ran > ${note}`])
    return { note, executor }
  }

  async function withSupervisor(body: (supervisor: Supervisor) => Promise<void>): Promise<void> {
    const stateDir = join(directory, 'state')
    const supervisor = new Supervisor({ stateDir })
    try {
      await withVariable('HOLDFAST_STATE_DIR', stateDir, () => body(supervisor))
    } finally {
      await supervisor.close()
    }
  }

  for (const [what, make] of Object.entries(missing))
    it(`${what}: start() is refused, and nothing ran`, () =>
      withSupervisor(async supervisor => {
        const program = make(directory)
        await withVariable('HOLDFAST_NATIVE', program, async () => {
          const { note, executor } = noting(supervisor.executor())
          await refuses(executor.start(), {
            code: 'UNSUPPORTED',
            stage: 'spawner',
            hint: /HOLDFAST_NATIVE.*--basic/,
          })
          await executor.destroy()
          assert.equal(existsSync(note), false)
        })
      }))

  for (const [door, open] of Object.entries(doors))
    it(`by ${door} as by any other`, () =>
      withSupervisor(supervisor =>
        withVariable('HOLDFAST_NATIVE', 'off', async () => {
          const { note, executor } = noting(open(supervisor))
          await refuses(executor.start(), { code: 'UNSUPPORTED', stage: 'spawner' })
          await executor.destroy()
          assert.equal(existsSync(note), false)
        }),
      ))

  it('a second command inside an isolated task is refused too', function () {
    requires(this, 'isolation')
    return withWorkbench('linux', async bench => {
      const task = bench.command('sleep', '1000')
      await task.start()
      const another = bench.another()
      const same = await another.open(task.id())
      await withVariable('HOLDFAST_NATIVE', 'off', () =>
        refuses(same.exec('true').start(), { code: 'UNSUPPORTED', stage: 'spawner' }).then(() => {}),
      )
      await task.forceStop()
    })
  })

  it('control: called for by its name the Basic executor runs it, and says what it does not isolate', () =>
    withSupervisor(() =>
      withVariable('HOLDFAST_NATIVE', 'off', async () => {
        const { note, executor } = noting(newBasicExecutor())
        await executor.start()
        assert.equal((await executor.wait()).exitCode, 0)
        assert.equal(readFileSync(note, 'utf8'), 'ran\n')
        const skipped = executor.enforcement.filter(({ status, chosen }) => status === 'skipped' && chosen)
        for (const name of ['root', 'user', 'seccomp', 'capabilities', 'namespace.pid', 'devices'])
          assert.ok(
            skipped.some(row => row.name === name),
            name,
          )
        await executor.destroy()
      }),
    ))

  it('on the command line: run exits with 125 and says what mends it, doctor with 1; --strict changes nothing', async () => {
    const env = { HOLDFAST_NATIVE: 'off' }
    const stateDir = join(directory, 'state')
    const note = noteForAll()
    const script = ['--', 'sh', '-c', `echo ran > ${note}`]
    for (const flags of [[], ['--strict'], ['--json']]) {
      const { code, stdout, stderr } = await start(stateDir, ['run', ...flags, ...script], env).ended
      assert.equal(code, 125)
      assert.match(stdout + stderr, /unset HOLDFAST_NATIVE/)
      assert.equal(existsSync(note), false)
    }
    const doctor = await start(stateDir, ['doctor', '--json'], env).ended
    assert.equal(doctor.code, 1)
    const { ok, defaultRun } = JSON.parse(doctor.stdout) as { ok: boolean; defaultRun: { refused: unknown } }
    assert.deepEqual([ok, defaultRun.refused === null], [false, false])
    assert.equal((await start(stateDir, ['run', '--basic', '--strict', ...script], env).ended).code, 0)
    assert.equal(readFileSync(note, 'utf8'), 'ran\n')
  })
})
