import { taskChart } from '../../machines/index.ts'
import { layout } from './lay-out.ts'

/** What src/graph/task-layout.ts is to hold. */
export async function taskLayoutText(): Promise<string> {
  const { states, edges, ...rest } = await layout(taskChart())
  const lines = (items: readonly unknown[]) => items.map(item => `    ${JSON.stringify(item)},\n`).join('')
  const others = Object.entries(rest).map(([name, value]) => `  "${name}": ${JSON.stringify(value)},\n`)
  return `// Made by \`npm run chart\` from the machine. Do not edit.
import type { Layout } from './layout.ts'

export const taskLayout: Layout = {
${others.join('')}  "states": [
${lines(states)}  ],
  "edges": [
${lines(edges)}  ],
}
`
}
