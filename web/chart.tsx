import { useEffect, useRef, useState } from 'preact/hooks'
import { getJson } from './connection.ts'
import { litState, traced, type Way } from './traced.ts'
import type { DrawingElement, Entry } from './types.ts'

let drawing: Promise<DrawingElement> | null = null

/** The state chart as the server has drawn it, with one state lit and the ways that were taken traced. */
export function Chart({ lit, taken }: { lit: string; taken: readonly Entry[] }) {
  const place = useRef<HTMLDivElement>(null)
  const [ready, setReady] = useState(false)
  useEffect(() => {
    drawing ??= getJson<DrawingElement>('/api/chart')
    drawing.then(
      tree => {
        place.current?.replaceChildren(build(tree))
        setReady(true)
      },
      () => {
        drawing = null
      },
    )
  }, [])
  useEffect(() => {
    if (place.current !== null && ready) mark(place.current, lit, taken)
  }, [lit, taken, ready])
  return <div class="drawing" ref={place} data-lit={lit} />
}

const namespace = 'http://www.w3.org/2000/svg'

/** Node by node: no markup is ever made out of a string. */
function build({ tag, attributes, children }: DrawingElement): SVGElement {
  const node = document.createElementNS(namespace, tag)
  for (const [name, value] of Object.entries(attributes)) if (name !== 'xmlns') node.setAttribute(name, value)
  for (const child of children) node.append(typeof child === 'string' ? child : build(child))
  return node
}

type Edge = Way & { readonly element: SVGElement }

function mark(place: HTMLElement, lit: string, entries: readonly Entry[]): void {
  const edges = [...place.querySelectorAll<SVGElement>('.edge:not(.entry)')].map(edgeOf)
  const trace = traced(edges, entries)
  const at = litState(lit, trace)
  for (const element of place.querySelectorAll<SVGElement>('.state')) {
    const name = element.dataset.state ?? ''
    element.classList.toggle('lit', name === at)
    element.classList.toggle('passed', name !== at && trace.states.has(name))
  }
  for (const edge of edges) {
    const events = trace.taken.get(edge)
    edge.element.classList.toggle('taken', events !== undefined)
    edge.element.classList.toggle('last', edge === trace.last)
    for (const label of edge.element.querySelectorAll<SVGElement>('.label'))
      label.classList.toggle('taken', events?.has(label.dataset.event ?? '') ?? false)
  }
}

function edgeOf(element: SVGElement): Edge {
  const { source = '', target = '', from = '', to = '' } = element.dataset
  const labels = [...element.querySelectorAll<SVGElement>('.label')]
  return { element, source, target, from, to, events: labels.map(({ dataset }) => dataset.event ?? '') }
}
