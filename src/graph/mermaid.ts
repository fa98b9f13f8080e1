import type { Chart, ChartEdge, ChartLabel } from '../../machines/index.ts'

/** The chart as a Mermaid state diagram, which GitHub and many editors draw. */
export function mermaid(chart: Chart): string {
  const { edges } = chart
  const any = edges.some(({ from }) => from === null) ? [`state "any state" as ${anyState}`] : []
  const lines = [...any, ...statesIn(chart, null), ...edges.map(edgeLine)]
  return `stateDiagram-v2\n${lines.map(line => `  ${line}\n`).join('')}`
}

/** What lies in a state, or at the top. */
function statesIn(chart: Chart, outer: string | null): string[] {
  const inner = chart.states.filter(({ within }) => within === outer)
  return [
    ...inner.filter(({ kind }) => kind === 'initial').map(({ name }) => `[*] --> ${name}`),
    ...inner.flatMap(({ name }) => {
      const parts = statesIn(chart, name)
      return parts.length === 0 ? [] : [`state ${name} {`, ...parts.map(part => `  ${part}`), '}']
    }),
    ...inner.flatMap(({ name, answers }) =>
      answers.length === 0 ? [] : [edgeLine({ from: name, to: name, labels: answers })],
    ),
    ...inner.filter(({ kind }) => kind === 'final').map(({ name }) => `${name} --> [*]`),
  ]
}

function edgeLine({ from, to, labels }: ChartEdge): string {
  return `${from ?? anyState} --> ${to}: ${labels.map(text).join('<br/>')}`
}

const anyState = 'any'

/** Brackets are mermaid's own in places. */
function text({ event, guard }: ChartLabel): string {
  return guard === null ? event : `${event} (${guard})`
}
