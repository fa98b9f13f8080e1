import { taskChart } from '../../machines/index.ts'
import { invalidArgument } from '../invalid-argument.ts'
import { type Element, drawing } from './drawing.ts'
import { mermaid } from './mermaid.ts'
import { machineConfig } from './stately.ts'
import { standaloneSvg } from './svg.ts'
import { taskLayout } from './task-layout.ts'

export type GraphFormat = 'mermaid' | 'json' | 'svg'

/**
 * The state chart of a task, drawn from the machine that carries it out: `mermaid` text, `json` (the
 * machine's configuration without functions, as Stately Studio imports it), or `svg`, laid out when this was
 * built and legible on light and dark. Rejects INVALID_ARGUMENT.
 */
export async function taskGraph(format: GraphFormat): Promise<string> {
  if (format === 'mermaid') return mermaid(taskChart())
  if (format === 'json') return `${JSON.stringify(machineConfig(), null, 2)}\n`
  if (format === 'svg') return standaloneSvg(await taskDrawing())
  throw invalidArgument('format', format, '"mermaid", "json" or "svg"')
}

/** The same drawing as data, for a page that builds it element by element and lights up what happens. */
export async function taskDrawing(): Promise<Element> {
  return drawing(taskLayout)
}
