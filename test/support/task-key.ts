import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StartRecord } from '../../machines/index.ts'
import type { Executor } from '../../src/index.ts'
import { parseTaskId } from '../../src/task/task-id.ts'

/** The key of a started task. */
export function keyOf(task: Executor): string {
  return parseTaskId(task.id()).key
}

/** Its record directory. */
export function directoryOf(task: Executor): string {
  const { stateDir, key } = parseTaskId(task.id())
  return join(stateDir, 'tasks', key)
}

export function startRecordOf(task: Executor): StartRecord {
  const record = JSON.parse(readFileSync(join(directoryOf(task), 'start.json'), 'utf8')) as StartRecord
  assert.equal(record.format, 'holdfast.start')
  return record
}
