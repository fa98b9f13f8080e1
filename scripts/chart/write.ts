// Lays out the state chart of a task anew, for src/graph/task-layout.ts. Run by every build; what comes out
// is committed.
import { readFileSync, writeFileSync } from 'node:fs'
import { taskLayoutText } from './text.ts'

const file = new URL('../../src/graph/task-layout.ts', import.meta.url)
const text = await taskLayoutText()
if (readFileSync(file, 'utf8') !== text) {
  writeFileSync(file, text)
  console.error('holdfast: the machine has changed, and src/graph/task-layout.ts with it: commit it')
}
