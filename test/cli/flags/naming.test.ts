import { strict as assert } from 'node:assert'
import { namingFlags } from '../../../src/cli/flags/naming.ts'
import { HoldfastError } from '../../../src/index.ts'

/** What the library says, and what whoever typed a command line reads. */
const sentences: readonly (readonly [library: string, told: string])[] = [
  ['resources.cpu: got 1, takes more', '--cpu: got 1, takes more'],
  ['resources.rlimits.bogus: got 1, takes no field', '--ulimit bogus: got 1, takes no field'],
  ['command.env.A: got "x", takes a name', '--env A: got "x", takes a name'],
  ['command.labels.a:b: got "x", takes a name', '--label a:b: got "x", takes a name'],
  ['command.labels.a\nb: got "x", takes a name', '--label a\nb: got "x", takes a name'],
  ['command.tmpfs[0].sizeBytes: got 0, takes more', '--tmpfs: got 0, takes more'],
  ['command.capabilities[12]: got "CAP_X", takes a capability', '--cap-add: got "CAP_X", takes a capability'],
  ['command.network.allow[0]: got "", takes "host:port"', '--allow: got "", takes "host:port"'],
  ['network.allow[3]: got "", takes "host:port"', '--allow: got "", takes "host:port"'],
  ['command.network: got rules that are none', '--network and --allow: got rules that are none'],
  ['command.logs.maxBytes: got 1, takes 4096', '--log-max-size: got 1, takes 4096'],
  ['command.logs.maxFiles: got 1, takes 2', '--log-max-files: got 1, takes 2'],
  ['command.logs: got 1', '--log-max-size and --log-max-files: got 1'],
  ['command.path: got "", takes a program', 'COMMAND: got "", takes a program'],
  ['command.args[2]: got a string with NUL', 'ARG: got a string with NUL'],
  ['command.secrets: the basic executor has none', '--secret: the basic executor has none'],
  ['command.terminal: only native', '--tty: only native'],
  ['task name: got "/"', '--name: got "/"'],
  ['task names[0]: got "/"', '--name: got "/"'],
  ['workspace: /x does not exist', '--workspace: /x does not exist'],
  ['mounts: /x does not exist', '--mount: /x does not exist'],
  ['cpuset: got 7, but this host offers 0-1', '--cpuset: got 7, but this host offers 0-1'],
  ['network: the task was started without rules', '--allow: the task was started without rules'],
  ['supervisor option stateDir: got ""', '--state-dir: got ""'],
  ['inspector option host: got "x"', '--host: got "x"'],
  ['format: got "png", takes "svg"', '--format: got "png", takes "svg"'],
  // Neither a field nor an option: it stays as it is.
  ['exec() is refused: the task has ended', 'exec() is refused: the task has ended'],
  ['supervisor option keep: got 1', 'supervisor option keep: got 1'],
  ['toString: got 1', 'toString: got 1'],
  ['command.constructor: got 1', 'command.constructor: got 1'],
  ['the mounts: are no field', 'the mounts: are no field'],
  ['mounts are many', 'mounts are many'],
]

describe('what the library refuses', () => {
  for (const [library, told] of sentences)
    it(`${JSON.stringify(library)} reads ${JSON.stringify(told)}`, async () => {
      const error = new HoldfastError('INVALID_ARGUMENT', library, { hint: 'less', path: '/x', errno: 'E' })
      await assert.rejects(
        namingFlags(() => Promise.reject(error)),
        { code: 'INVALID_ARGUMENT', message: told, hint: 'less', path: '/x', errno: 'E' },
      )
    })

  it('is renamed where it is a refusal, and nowhere else', async () => {
    const message = 'resources.cpu: got 1'
    for (const [code, told] of [
      ['INVALID_ARGUMENT', '--cpu: got 1'],
      ['PERMISSION', '--cpu: got 1'],
      ['UNSUPPORTED', '--cpu: got 1'],
      ['LOST', message],
      ['START_FAILED', message],
    ] as const)
      await assert.rejects(
        namingFlags(() => Promise.reject(new HoldfastError(code, message))),
        { code, message: told },
      )
    const other = new TypeError(message)
    await assert.rejects(
      namingFlags(() => Promise.reject(other)),
      other,
    )
    assert.equal(await namingFlags(() => Promise.resolve(7)), 7)
  })
})
