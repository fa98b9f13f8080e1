import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { exitCodeOf } from '../../../src/cli/exit-code.ts'
import { failureExitCode } from '../../../src/cli/failure-exit-code.ts'
import { fileRefused } from '../../../src/cli/file-refused.ts'
import { errorDocument, errorText } from '../../../src/cli/output/error-report.ts'
import { colorsFor } from '../../../src/cli/output/terminal.ts'
import { holdfast } from '../../../src/cli/program.ts'
import { HoldfastError } from '../../../src/index.ts'
import { asTasks, failureCode } from '../commands/task-words.ts'
import { resultOf } from './results.ts'

const plain = colorsFor({ isTTY: false })

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return assert.fail('it went well')
}

describe('what went wrong', () => {
  const missing = thrownBy(() => readFileSync('/no/such/file'))
  const errors: readonly (readonly [what: string, error: unknown, document: object])[] = [
    [
      'an error of the library',
      new HoldfastError('START_FAILED', 'no', {
        stage: 'exec',
        errno: 'ENOENT',
        path: '/x',
        hint: 'install it',
      }),
      { code: 'START_FAILED', message: 'no', stage: 'exec', errno: 'ENOENT', path: '/x', hint: 'install it' },
    ],
    [
      'a mistake in the command line',
      new HoldfastError('INVALID_ARGUMENT', 'no TASK', { hint: 'name one' }),
      { code: 'INVALID_ARGUMENT', message: 'no TASK', hint: 'name one' },
    ],
    [
      'a refusal of the system',
      missing,
      {
        code: 'INVALID_STATE',
        message: "ENOENT: no such file or directory, open '/no/such/file'",
        ...{ errno: 'ENOENT', path: '/no/such/file' },
      },
    ],
    [
      'what this user may not do',
      Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }),
      { code: 'PERMISSION', message: 'EACCES: permission denied', errno: 'EACCES' },
    ],
    [
      "a refusal of Node's permission model",
      Object.assign(new Error('x'), { code: 'ERR_ACCESS_DENIED', permission: 'FileSystemRead' }),
      {
        code: 'PERMISSION',
        message: "Node's permission model forbids it",
        hint: 'Start this program with --allow-fs-read beside --permission.',
      },
    ],
    [
      'an error of our own',
      new TypeError('x is no function'),
      { code: 'INTERNAL', message: 'x is no function' },
    ],
    ['a string', 'lost', { code: 'INTERNAL', message: 'lost' }],
    ['nothing', undefined, { code: 'INTERNAL', message: 'undefined' }],
    ['null', null, { code: 'INTERNAL', message: 'null' }],
    [
      'details that are no text',
      { message: 'x', code: 7, hint: 8, path: null },
      { code: 'INTERNAL', message: 'x' },
    ],
  ]
  for (const [what, error, document] of errors)
    it(`is a document, of ${what}`, () => assert.deepEqual(errorDocument(error), document))

  it('is a sentence for people, with its mend if there is one, and nothing of it is obeyed', () => {
    assert.equal(errorText(new Error('no\x1b[2J\n'), plain), 'holdfast: no\\x1b[2J\\x0a\n')
    const error = new HoldfastError('INVALID_ARGUMENT', 'no', { hint: 'do\u202e this' })
    assert.equal(errorText(error, plain), 'holdfast: no\n  hint: do\\u{202e} this\n')
  })

  it('of a file names the flag, the file as it was typed and the reason, not the call or our own way to it', () => {
    const of = (error: unknown): HoldfastError => fileRefused('--env-file', 'a "b"', 'read', error)
    const { message, errno, path, code } = of(missing)
    const told = '--env-file: "a \\"b\\"" cannot be read: ENOENT: no such file or directory'
    assert.deepEqual([message, errno, path, code], [told, 'ENOENT', 'a "b"', 'INVALID_ARGUMENT'])
    const step = Object.assign(new Error("ENOTDIR: not a directory, open '/proc/self/fd/18/x'"), {
      code: 'ENOTDIR',
    })
    assert.ok(of(step).message.endsWith('cannot be read: ENOTDIR: not a directory'))
    assert.ok(of(new Error('it is no UTF-8')).message.endsWith('cannot be read: it is no UTF-8'))
    assert.equal(of(new Error('it is no UTF-8')).errno, undefined)
    const read = Object.assign(new Error('EISDIR: illegal operation on a directory, read'), {
      code: 'EISDIR',
    })
    assert.ok(of(read).message.endsWith(': EISDIR: illegal operation on a directory'))
  })
})

describe('the exit code of a command that failed itself', () => {
  const start = (errno: string, stage = 'exec'): HoldfastError =>
    new HoldfastError('START_FAILED', 'no', { stage, errno })

  it('is 125 where it could be taken for a task’s, and a shell’s for what could not be executed; else 1', () => {
    for (const { name } of holdfast().commands.map(command => ({ name: command.name() }))) {
      const own = asTasks.has(name)
      const rest = failureCode(name)
      for (const error of [new Error('x'), 'x', {}, start('ENOENT', 'chdir')])
        assert.equal(failureExitCode(name, error), rest, name)
      assert.equal(failureExitCode(name, start('ENOENT')), own ? 127 : rest, name)
      for (const errno of ['EACCES', 'ENOEXEC', 'ETXTBSY'])
        assert.equal(failureExitCode(name, start(errno)), own ? 126 : rest, name)
    }
    assert.equal(failureExitCode('', new Error('no command at all')), 1)
  })

  it('is of a task that has failed the same by its result', () => {
    const failed = { exitCode: null, cause: 'startFailed' } as const
    for (const error of [start('ENOENT'), start('EACCES'), start('ENOENT', 'mount')])
      assert.equal(exitCodeOf(resultOf({ ...failed, error })), failureExitCode('run', error))
  })
})
