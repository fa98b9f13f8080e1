import { type ChartState, outermost } from '../../machines/index.ts'
import {
  type Layout,
  lineHeight,
  type PlacedEdge,
  type PlacedState,
  type Point,
  titleHeight,
} from './layout.ts'

/**
 * An SVG element as data: written out as text here, built node by node in a page, which then needs no HTML
 * out of a string.
 */
export type Element = {
  readonly tag: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly (Element | string)[]
}

/**
 * The drawing. Colours are the business of a style sheet: classes say what a thing is, and data attributes
 * which one, so that a page can light it: `data-state` and `data-within` of a state; `data-source` and
 * `data-target` of an edge, which are states of the chart, `data-from` and `data-to`, which are the states
 * that users see, and `data-event` of its labels.
 */
export function drawing(layout: Layout): Element {
  const { width, height, states, edges, start, any, entry } = layout
  const size = { width: text(width), height: text(height), viewBox: `0 0 ${text(width)} ${text(height)}` }
  const chart = states.map(({ state }) => state)
  const described = `State chart: ${chart.map(({ name }) => name).join(', ')}`
  const hasParts = ({ state }: PlacedState): boolean => chart.some(({ within }) => within === state.name)
  return element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', ...size, class: 'chart', role: 'img', 'aria-label': described },
    [
      // What lies in it is drawn upon it, the ways included.
      ...states.filter(hasParts).map(outerStateOf),
      element('g', { class: 'edge entry' }, arrow(entry)),
      element('circle', { class: 'start', cx: text(start.x + 7), cy: text(start.y + 7), r: '7' }),
      ...(any === null ? [] : [anyState(any)]),
      ...edges.map(edge => edgeOf(edge, chart)),
      ...states.filter(state => !hasParts(state)).map(stateOf),
    ],
  )
}

export function serialize({ tag, attributes, children }: Element): string {
  const list = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`)
  const inner = children.map(child => (typeof child === 'string' ? escaped(child) : serialize(child)))
  return inner.length === 0
    ? `<${tag}${list.join('')}/>`
    : `<${tag}${list.join('')}>${inner.join('')}</${tag}>`
}

export function element(
  tag: string,
  attributes: Element['attributes'],
  children: Element['children'] = [],
): Element {
  return { tag, attributes, children }
}

function stateOf({ state, lines, x, y, width, height }: PlacedState): Element {
  const frame = { x: text(x), y: text(y), width: text(width), height: text(height), rx: '10' }
  const inner = { x: text(x + 3), y: text(y + 3), width: text(width - 6), height: text(height - 6), rx: '7' }
  const data = { 'data-state': state.name, ...(state.within !== null && { 'data-within': state.within }) }
  return element('g', { class: `state ${state.kind}`, ...data }, [
    element('rect', { class: 'frame', ...frame }),
    ...(state.kind === 'final' ? [element('rect', { class: 'inner', ...inner })] : []),
    element('text', { class: 'name', x: text(x + width / 2), y: text(y + 21) }, [state.name]),
    ...(lines.length === 0 ? [] : [line({ x, y: y + titleHeight }, { x: x + width, y: y + titleHeight })]),
    ...lines.map((content, index) =>
      element(
        'text',
        { class: 'detail', x: text(x + 12), y: text(y + titleHeight + 16 + index * lineHeight) },
        [content],
      ),
    ),
  ])
}

/** Its name is at the left: ways into the states in it come from above. */
function outerStateOf({ state, x, y, width, height }: PlacedState): Element {
  const frame = { x: text(x), y: text(y), width: text(width), height: text(height), rx: '10' }
  return element('g', { class: `state outer ${state.kind}`, 'data-state': state.name }, [
    element('rect', { class: 'frame', ...frame }),
    element('text', { class: 'name', x: text(x + 14), y: text(y + 21) }, [state.name]),
  ])
}

function edgeOf({ edge, points, label, lines }: PlacedEdge, chart: readonly ChartState[]): Element {
  const data = {
    'data-source': edge.from ?? '*',
    'data-target': edge.to,
    'data-from': edge.from === null ? '*' : outermost(chart, edge.from),
    'data-to': outermost(chart, edge.to),
  }
  return element('g', { class: 'edge', ...data }, [
    ...arrow(points),
    ...lines.map((content, index) =>
      element(
        'text',
        {
          class: 'label',
          'data-event': edge.labels[index]?.event ?? '',
          x: text(label.x + 4),
          y: text(label.y + 13 + index * lineHeight),
        },
        [content],
      ),
    ),
  ])
}

function anyState({ x, y, width, height }: { x: number; y: number; width: number; height: number }): Element {
  return element('g', { class: 'any' }, [
    element('rect', { x: text(x), y: text(y), width: text(width), height: text(height), rx: '14' }),
    element('text', { x: text(x + width / 2), y: text(y + 18) }, ['any state']),
  ])
}

function line(from: Point, to: Point): Element {
  return element('path', { class: 'rule', d: `M${text(from.x)} ${text(from.y)}H${text(to.x)}` })
}

/** The head is drawn by hand: markers are found by id, and a page may show two drawings. */
function arrow(points: readonly Point[]): Element[] {
  const tip = points.at(-1)
  const before = points.at(-2)
  if (tip === undefined || before === undefined) return []
  const angle = Math.atan2(tip.y - before.y, tip.x - before.x)
  const back = (turn: number): string =>
    `${text(tip.x - 9 * Math.cos(angle + turn))} ${text(tip.y - 9 * Math.sin(angle + turn))}`
  return [
    element('path', { class: 'line', d: rounded(points) }),
    element('path', { class: 'head', d: `M${text(tip.x)} ${text(tip.y)}L${back(0.42)}L${back(-0.42)}Z` }),
  ]
}

const radius = 8

/** A line along the points, its corners rounded. */
function rounded(points: readonly Point[]): string {
  return points
    .map((point, index) => {
      const before = points[index - 1]
      const after = points[index + 1]
      if (before === undefined) return `M${text(point.x)} ${text(point.y)}`
      if (after === undefined) return `L${text(point.x)} ${text(point.y)}`
      const into = towards(point, before)
      const out = towards(point, after)
      return `L${text(into.x)} ${text(into.y)}Q${text(point.x)} ${text(point.y)} ${text(out.x)} ${text(out.y)}`
    })
    .join('')
}

function towards(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y)
  const part = length === 0 ? 0 : Math.min(radius, length / 2) / length
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }
}

function text(number: number): string {
  return String(Math.round(number * 10) / 10)
}

function escaped(content: string): string {
  return content.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
