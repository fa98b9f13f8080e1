import { useEffect, useRef, useState } from 'preact/hooks'
import { getJson } from './connection.ts'
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

function mark(place: HTMLElement, lit: string, taken: readonly Entry[]): void {
  const last = taken.at(-1)
  for (const state of place.querySelectorAll<SVGElement>('.state')) {
    const name = state.dataset.state ?? ''
    state.classList.toggle('lit', name === lit)
    state.classList.toggle(
      'passed',
      name !== lit && taken.some(({ from, to }) => from === name || to === name),
    )
  }
  for (const edge of place.querySelectorAll<SVGElement>('.edge')) {
    const { from, to } = edge.dataset
    const passes = taken.filter(entry => entry.from === from && entry.to === to && entry.sequence !== null)
    edge.classList.toggle('taken', passes.length > 0)
    edge.classList.toggle('last', last !== undefined && passes.includes(last))
    for (const label of edge.querySelectorAll<SVGElement>('.label'))
      label.classList.toggle(
        'taken',
        passes.some(({ event }) => event === label.dataset.event),
      )
  }
}
