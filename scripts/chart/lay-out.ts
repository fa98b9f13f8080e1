import type { ElkNode } from 'elkjs/lib/elk-api.js'
import ELK from 'elkjs/lib/elk.bundled.js'
import type { Chart, ChartLabel, ChartState } from '../../machines/index.ts'
import { type Box, type Layout, lineHeight, type Point, titleHeight } from '../../src/graph/layout.ts'

const anyId = 'any state'
const startId = 'start'

/**
 * Places everything by ELK's layered algorithm. It is large, hence done when the package is built:
 * src/graph/task-layout.ts is what comes out.
 */
export async function layout(chart: Chart): Promise<Layout> {
  const states = chart.states.map(state => ({ state, lines: stateLines(state) }))
  const edges = chart.edges.map(edge => ({ edge, lines: edge.labels.map(labelText) }))
  const initial = chart.states.find(({ kind }) => kind === 'initial')?.name ?? ''
  const hasAny = chart.edges.some(({ from }) => from === null)
  const wanted: ElkNode = {
    id: chart.id,
    layoutOptions: options,
    children: [
      { id: startId, width: 14, height: 14 },
      ...(hasAny ? [{ id: anyId, width: 84, height: 28 }] : []),
      ...nodesIn(states, null),
    ],
    edges: [
      { id: 'entry', sources: [startId], targets: [initial] },
      ...edges.map(({ edge, lines }, index) => ({
        id: String(index),
        sources: [edge.from ?? anyId],
        targets: [edge.to],
        labels: [{ text: lines.join('\n'), width: widest(lines) + 8, height: lines.length * lineHeight + 4 }],
      })),
    ],
  }
  const graph = await new ELK.default().layout(wanted)
  const boxes = new Map(nodesBelow(graph).map(node => [node.id, box(node)]))
  const routes = new Map((graph.edges ?? []).map(edge => [edge.id, edge]))
  return {
    width: graph.width ?? 0,
    height: graph.height ?? 0,
    states: states.map(placed => ({ ...placed, ...found(boxes, placed.state.name) })),
    edges: edges.map((placed, index) => {
      const route = found(routes, String(index))
      return { ...placed, points: pointsOf(route), label: box(route.labels?.[0] ?? {}) }
    }),
    start: found(boxes, startId),
    any: boxes.get(anyId) ?? null,
    entry: pointsOf(found(routes, 'entry')),
  }
}

type Unplaced = { readonly state: ChartState; readonly lines: readonly string[] }

function nodesIn(states: readonly Unplaced[], outer: string | null): ElkNode[] {
  return states
    .filter(({ state }) => state.within === outer)
    .map(({ state, lines }) => {
      const head = titleHeight + (lines.length === 0 ? 8 : lines.length * lineHeight + 10)
      const children = nodesIn(states, state.name)
      return {
        id: state.name,
        width: Math.max(130, widest(lines) + 28, widest([state.name], 9) + 36),
        height: head,
        ...(children.length > 0 && {
          children,
          layoutOptions: { 'elk.padding': `[top=${head + 8},left=16,bottom=16,right=16]` },
        }),
      }
    })
}

function nodesBelow({ children = [] }: ElkNode): ElkNode[] {
  return children.flatMap(child => [child, ...nodesBelow(child)])
}

const options = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  // States in states are placed with all others, and everything by the corner of the whole drawing.
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'org.eclipse.elk.json.shapeCoords': 'ROOT',
  'org.eclipse.elk.json.edgeCoords': 'ROOT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.padding': '[top=16,left=16,bottom=16,right=16]',
  'elk.spacing.nodeNode': '40',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeEdge': '14',
  'elk.layered.spacing.nodeNodeBetweenLayers': '24',
  'elk.layered.spacing.edgeNodeBetweenLayers': '16',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  // The narrowest and the straightest of all that were tried.
  'elk.layered.nodePlacement.strategy': 'LINEAR_SEGMENTS',
  'elk.layered.edgeLabels.sideSelection': 'ALWAYS_DOWN',
  'elk.layered.compaction.postCompaction.strategy': 'EDGE_LENGTH',
}

function labelText({ event, guard }: ChartLabel): string {
  return guard === null ? event : `${event} [${guard}]`
}

function stateLines({ actors, answers }: ChartState): string[] {
  return [...actors.map(actor => `▸ ${actor}`), ...answers.map(labelText)]
}

/** Nothing here can measure a text: an estimate that is rather too wide. */
function widest(lines: readonly string[], perCharacter = 6.6): number {
  return Math.max(0, ...lines.map(line => line.length)) * perCharacter
}

function box({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box {
  return { x, y, width, height }
}

type Route = {
  readonly sections?: readonly {
    readonly startPoint: Point
    readonly bendPoints?: readonly Point[]
    readonly endPoint: Point
  }[]
}

function pointsOf({ sections = [] }: Route): Point[] {
  return sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
    startPoint,
    ...bendPoints,
    endPoint,
  ])
}

function found<Value>(map: ReadonlyMap<string, Value>, id: string): Value {
  const value = map.get(id)
  if (value === undefined) throw new Error(`the layout has lost ${id}`)
  return value
}
