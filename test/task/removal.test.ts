import { strict as assert } from 'node:assert'
import { isRemains } from '../../src/task/task-directory.ts'

describe('a directory without task.json', () => {
  for (const names of [
    [],
    ['task.json.1f2e.tmp'],
    ['start.json', 'exit.json'],
    ['exit.json'],
    ['exit.json', 'task.json.1f2e.tmp'],
  ])
    it(`is no task's with ${names.join(', ') || 'nothing'} in it: it was half made, or half removed`, () =>
      assert.equal(isRemains(names), true))

  for (const names of [
    ['alive'],
    ['start.json'],
    ['start.json', 'task.json.1f2e.tmp'],
    ['alive', 'control', 'start.json', 'exit.json'],
    ['exit.json', 'journal.ndjson'],
    ['exit.json.tmp'],
  ])
    it(`is one whose task.json somebody has taken away with ${names.join(', ')} in it`, () =>
      assert.equal(isRemains(names), false))
})
