import type { Chart, ChartLabel } from '../../machines/index.ts'

/** The chart as a Mermaid state diagram, which GitHub and many editors draw. */
export function mermaid({ states, edges }: Chart): string {
  const lines = [
    ...states.filter(({ kind }) => kind === 'initial').map(({ name }) => `[*] --> ${name}`),
    ...edges.map(
      ({ from, to, labels }) => `${from ?? anyState} --> ${to}: ${labels.map(text).join('<br/>')}`,
    ),
    ...states.flatMap(({ name, answers }) =>
      answers.length === 0 ? [] : [`${name} --> ${name}: ${answers.map(text).join('<br/>')}`],
    ),
    ...states.filter(({ kind }) => kind === 'final').map(({ name }) => `${name} --> [*]`),
  ]
  const any = edges.some(({ from }) => from === null) ? [`state "any state" as ${anyState}`] : []
  return `stateDiagram-v2\n${[...any, ...lines].map(line => `  ${line}\n`).join('')}`
}

const anyState = 'any'

/** Brackets are mermaid's own in places. */
function text({ event, guard }: ChartLabel): string {
  return guard === null ? event : `${event} (${guard})`
}
