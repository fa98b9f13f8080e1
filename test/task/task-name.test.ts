import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { isTaskName } from '../../src/command/task-name.ts'
import { defaultTaskName } from '../../src/task/task-name.ts'

describe('the name of a task that was given none', () => {
  for (const [path, name] of [
    ['/usr/bin/sort', 'sort'],
    ['./my tool', 'my_tool'],
    ['/opt/größe', 'gr__e'],
    ['..', 'task'],
    ['alloc', 'task'],
    ['', 'task'],
  ] as const)
    it(`of ${JSON.stringify(path)} is ${name}`, () => {
      if (process.platform !== 'win32') assert.equal(defaultTaskName(path), name)
    })

  it('is a name that a task can have, and at most 64 characters, whatever the program is called', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), path => {
        const name = defaultTaskName(path)
        assert.ok(isTaskName(name), name)
        assert.ok(name.length <= 64)
      }),
    ))
})
