import { taskMachine } from './task.ts'

export type ChartLabel = {
  /** As the machine has it, but for those of actors, which read `launch done`. `always`: by itself. */
  readonly event: string
  readonly guard: string | null
}

export type ChartState = {
  readonly name: string
  /** The state that it is a part of; null at the top. */
  readonly within: string | null
  /** Initial: of all, or of the state that it is a part of. */
  readonly kind: 'initial' | 'normal' | 'final'
  /** Those that are started when the state is entered. */
  readonly actors: readonly string[]
  /** Events that are answered without leaving it. */
  readonly answers: readonly ChartLabel[]
}

export type ChartEdge = {
  /** Null: any state. */
  readonly from: string | null
  /** A state without states in it: whoever enters another enters its initial one. */
  readonly to: string
  readonly labels: readonly ChartLabel[]
}

export type Chart = {
  readonly id: string
  readonly states: readonly ChartState[]
  readonly edges: readonly ChartEdge[]
}

/** A state of the machine: the part of XState's StateNode that is read here. */
type Node = {
  readonly key: string
  readonly type: string
  readonly parent?: Node | undefined
  readonly states: Readonly<Record<string, Node>>
  readonly initial: { readonly target: readonly Node[] }
  readonly entry: readonly unknown[]
  readonly invoke: readonly { readonly id: string }[]
  readonly transitions: ReadonlyMap<string, readonly unknown[]>
  readonly always?: readonly unknown[] | undefined
}
type Transition = {
  readonly eventType: string
  readonly guard?: unknown
  readonly target?: readonly Node[] | undefined
}

/**
 * What there is to draw of the task machine, read from the machine itself: a drawing cannot say anything else
 * than what is carried out.
 */
export function taskChart(): Chart {
  const root = taskMachine.root as unknown as Node
  const nodes = below(root)
  return {
    id: root.key,
    states: nodes.map(node => ({
      name: node.key,
      within: node.parent === undefined || node.parent === root ? null : node.parent.key,
      kind: kindOf(node),
      actors: [...node.entry.flatMap(spawned), ...node.invoke.map(({ id }) => id)],
      answers: labels(transitionsOf(node).filter(({ target }) => target === undefined)),
    })),
    edges: [...nodes.flatMap(node => edgesFrom(node, node.key)), ...edgesFrom(root, null)],
  }
}

/** The outermost state that a state is a part of, which is the one that users see. */
export function outermost(states: readonly ChartState[], name: string): string {
  const within = states.find(state => state.name === name)?.within ?? null
  return within === null ? name : outermost(states, within)
}

/** `xstate.done.actor.launch` as people say it. */
export function eventLabel(type: string): string {
  const [, how, actor] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? []
  if (actor !== undefined) return `${actor} ${how === 'done' ? 'done' : 'failed'}`
  return type === '' ? 'always' : type
}

/** Each before those that are parts of it. */
function below({ states }: Node): Node[] {
  return Object.values(states).flatMap(node => [node, ...below(node)])
}

function kindOf(node: Node): ChartState['kind'] {
  if (node.type === 'final') return 'final'
  return node.parent?.initial.target[0] === node ? 'initial' : 'normal'
}

function edgesFrom(node: Node, from: string | null): ChartEdge[] {
  const leaving = transitionsOf(node).filter(({ target }) => target !== undefined)
  const endsOf = ({ target = [] }: Transition): string[] => target.map(entered)
  return [...new Set(leaving.flatMap(endsOf))].map(to => ({
    from,
    to,
    labels: labels(leaving.filter(transition => endsOf(transition).includes(to))),
  }))
}

function entered(target: Node): string {
  const inner = Object.keys(target.states).length === 0 ? undefined : target.initial.target[0]
  return inner === undefined ? target.key : entered(inner)
}

function transitionsOf(node: Node): Transition[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])] as Transition[]
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
