import { strict as assert } from 'node:assert'
import { chooseTask } from '../../src/cli/find-task.ts'
import { HoldfastError, type Supervisor } from '../../src/index.ts'

/** Tasks as `key name state`. Keys sort by age. */
function choose(word: string, ...tasks: string[]): string {
  const entries = tasks.map(text => {
    const [key = '', name = '', state = ''] = text.split(' ')
    return [key, { name, state }] as const
  })
  const supervisor = { stateDir: '/s', tasks: new Map(entries) } as unknown as Supervisor
  return chooseTask(supervisor, word, []).key
}

describe('which task a word means', () => {
  it('a task can have the name with which every key begins', () => {
    assert.equal(choose('m', 'maa1 web running', 'maa2 m running', 'maa3 x exited'), 'maa2')
  })

  it('a whole key comes before a name that looks like it', () => {
    assert.equal(choose('maa1', 'maa1 web exited', 'maa2 maa1 running'), 'maa1')
  })

  it('a name means the running task, however many have ended before it or after it', () => {
    const ended = ['maa1 web exited', 'maa2 web exited', 'maa9 web exited']
    for (const state of ['running', 'stopping', 'limited'])
      assert.equal(choose('web', ...ended, `maa5 web ${state}`), 'maa5')
  })

  it('a name that only ended tasks have means the newest of them', () => {
    assert.equal(choose('web', 'maa2 web exited', 'maa9 web exited', 'maa5 web exited'), 'maa9')
  })

  it('two running tasks of a name are refused by name, and so is a beginning of several keys', () => {
    assert.throws(() => choose('web', 'maa1 web running', 'maa2 web stopping', 'maa3 web exited'), {
      code: 'INVALID_ARGUMENT',
      message: 'TASK: "web" matches 2 tasks',
    })
    assert.throws(() => choose('maa', 'maa1 web running', 'maa2 x exited'), { code: 'INVALID_ARGUMENT' })
  })

  it('a beginning of one key means that task; nothing, and an empty word, mean none', () => {
    assert.equal(choose('maa1', 'maa11 web running', 'maa2 x exited'), 'maa11')
    for (const word of ['', 'ghost'])
      assert.throws(() => choose(word, 'maa1 web running'), { code: 'NOT_FOUND' })
  })

  it('a quarantined task is told by its own error', () => {
    const error = new HoldfastError('STATE_CORRUPT', 'unusable')
    const supervisor = { stateDir: '/s', tasks: new Map() } as unknown as Supervisor
    assert.throws(() => chooseTask(supervisor, 'maa1', [{ key: 'maa1', error }]), error)
  })
})
