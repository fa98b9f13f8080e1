import { taskMachine } from './task.ts'

export type ChartLabel = {
  /** As the machine has it, but for those of actors, which read `launch done`. `always`: by itself. */
  readonly event: string
  readonly guard: string | null
}

export type ChartState = {
  readonly name: string
  readonly kind: 'initial' | 'normal' | 'final'
  /** Those that are started when the state is entered. */
  readonly actors: readonly string[]
  /** Events that are answered without leaving it. */
  readonly answers: readonly ChartLabel[]
}

export type ChartEdge = {
  /** Null: any state. */
  readonly from: string | null
  readonly to: string
  readonly labels: readonly ChartLabel[]
}

export type Chart = {
  readonly id: string
  readonly states: readonly ChartState[]
  readonly edges: readonly ChartEdge[]
}

type Node = typeof taskMachine.root
type Transition = {
  readonly eventType: string
  readonly guard?: unknown
  readonly target?: readonly Node[] | undefined
}

/** What there is to draw of the task machine, read from the machine itself: a drawing cannot say anything else than what is carried out. */
export function taskChart(): Chart {
  const { root } = taskMachine
  const nodes: Node[] = Object.values(root.states)
  const initial = root.initial.target[0]?.key
  return {
    id: root.key,
    states: nodes.map(node => ({
      name: node.key,
      kind: node.type === 'final' ? 'final' : node.key === initial ? 'initial' : 'normal',
      actors: [...node.entry.flatMap(spawned), ...node.invoke.map(({ id }) => id)],
      answers: labels(transitionsOf(node).filter(({ target }) => target === undefined)),
    })),
    edges: [...nodes.flatMap(node => edgesFrom(node, node.key)), ...edgesFrom(root, null)],
  }
}

/** `xstate.done.actor.launch` as people say it. */
export function eventLabel(type: string): string {
  const [, how, actor] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? []
  if (actor !== undefined) return `${actor} ${how === 'done' ? 'done' : 'failed'}`
  return type === '' ? 'always' : type
}

function edgesFrom(node: Node, from: string | null): ChartEdge[] {
  const leaving = transitionsOf(node).filter(({ target }) => target !== undefined)
  const ends = new Set(leaving.flatMap(({ target = [] }) => target.map(({ key }) => key)))
  return [...ends].map(to => ({
    from,
    to,
    labels: labels(leaving.filter(({ target = [] }) => target.some(({ key }) => key === to))),
  }))
}

function transitionsOf(node: Node): Transition[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])] as unknown as Transition[]
}

function labels(transitions: readonly Transition[]): ChartLabel[] {
  return transitions.map(({ eventType, guard }) => ({
    event: eventLabel(eventType),
    guard: typeof guard === 'string' ? guard : null,
  }))
}

/** An entry action that starts an actor keeps its name beside the function. */
function spawned(action: unknown): string[] {
  const { type, src } = action as { readonly type?: string; readonly src?: unknown }
  return type === 'xstate.spawnChild' && typeof src === 'string' ? [src] : []
}
