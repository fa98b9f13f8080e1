import { type Chart, taskChart } from '../../machines/index.ts'
import { refusal } from '../command/refusal.ts'
import { type Element, drawing } from './drawing.ts'
import { layout } from './layout.ts'
import { mermaid } from './mermaid.ts'
import { machineConfig } from './stately.ts'
import { standaloneSvg } from './svg.ts'

export type GraphFormat = 'mermaid' | 'json' | 'svg'

/**
 * The state chart of a task, drawn from the machine that carries it out: `mermaid` text, `json` (the machine's configuration without functions,
 * as Stately Studio imports it), or `svg`, laid out here and legible on light and dark. Rejects INVALID_ARGUMENT.
 */
export async function taskGraph(format: GraphFormat): Promise<string> {
  if (format === 'mermaid') return mermaid(taskChart())
  if (format === 'json') return `${JSON.stringify(machineConfig(), null, 2)}\n`
  if (format === 'svg') return standaloneSvg(await taskDrawing())
  throw refusal('format', format, '"mermaid", "json" or "svg"')
}

/** The same drawing as data, for a page that builds it element by element and lights up what happens. */
export async function taskDrawing(chart: Chart = taskChart()): Promise<Element> {
  return drawing(await layout(chart))
}
