import { strict as assert } from 'node:assert'
import type { Executor } from '../../src/api.ts'
import { setCommand } from '../../src/task/set-command.ts'

describe('setCommand()', () => {
  const executor = (command = { path: '', args: [], env: {} }) => ({ command }) as unknown as Executor

  it('sets program and arguments, of which it keeps a copy', () => {
    const one = executor()
    const args = ['a']
    setCommand(one, 'cat', args)
    args.push('b')
    assert.deepEqual([one.command.path, one.command.args], ['cat', ['a']])
    setCommand(one, 'true')
    assert.deepEqual(one.command.args, [])
  })

  for (const [what, call] of [
    ['executor: got undefined', () => setCommand(undefined as unknown as Executor, 'x')],
    ['executor: got null', () => setCommand(null as unknown as Executor, 'x')],
    ['command name: got ""', () => setCommand(executor(), '')],
    ['command name: got "a\\\\u0000b"', () => setCommand(executor(), 'a\0b')],
    ['command name: got 5', () => setCommand(executor(), 5 as unknown as string)],
    ['command args: got ["a",1]', () => setCommand(executor(), 'x', ['a', 1] as unknown as string[])],
    ['command args: got "a"', () => setCommand(executor(), 'x', 'a' as unknown as string[])],
  ] as const)
    it(`refuses: ${what}`, () =>
      assert.throws(call, error => (error as Error).message.startsWith(what.replaceAll('\\\\', '\\'))))

  it('refuses a command that was started', () => {
    const frozen = executor(Object.freeze({ path: 'x', args: [], env: {} }))
    assert.throws(() => setCommand(frozen, 'y'), { code: 'INVALID_STATE' })
  })
})
