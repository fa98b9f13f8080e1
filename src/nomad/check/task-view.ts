import { isRepeatedOption } from '../config/task-config.ts'
import { type Scope, type Value, Unknown, unknownIn } from '../hcl/scope.ts'
import type { Position } from '../hcl/source.ts'
import type { Block, Body } from '../hcl/syntax.ts'
import type { JobTask } from './job-file.ts'

/** A value of the job, and where it is. */
export type Located = { readonly at: Position; readonly value: Value }

/** A task of a job file, its expressions read as far as the file says what they are. */
export class TaskView {
  readonly task: JobTask
  readonly #scope: Scope

  constructor(task: JobTask, scope: Scope) {
    this.task = task
    this.#scope = scope
  }

  get driver(): Located {
    return this.attribute(this.task.body, 'driver') ?? { at: this.task.at, value: null }
  }

  /** The options of the driver, by name: attributes, and blocks as Nomad hands them on. */
  get config(): ReadonlyMap<string, Located> {
    const config = this.blocks('config')[0]?.body
    const options = new Map<string, Located>()
    if (config === undefined) return options
    for (const [name, { at, value }] of config.attributes)
      options.set(name, { at, value: this.#handedOn(name, this.#scope.valueOf(value)) })
    for (const { type, at, body } of unrolled(config.blocks)) {
      const earlier = options.get(type)
      const value = this.#object(body)
      if (!isRepeatedOption(type)) options.set(type, { at, value })
      else if (earlier === undefined) options.set(type, { at, value: [value] })
      else options.set(type, { at: earlier.at, value: [...(earlier.value as readonly Value[]), value] })
    }
    return options
  }

  attribute(body: Body, name: string): Located | null {
    const found = body.attributes.get(name)
    return found === undefined ? null : { at: found.at, value: this.#scope.valueOf(found.value) }
  }

  /** The text of an attribute; null where it is left out, empty, or not known. */
  text(body: Body, name: string): string | null {
    const value = this.attribute(body, name)?.value
    return typeof value === 'string' && value !== '' ? value : null
  }

  blocks(type: string, body: Body = this.task.body): Block[] {
    return unrolled(body.blocks).filter(block => block.type === type)
  }

  /** JSON has a block that is there once as a list of one. */
  #handedOn(name: string, value: Value): Value {
    const isBlock = Array.isArray(value) && value.length === 1 && typeof value[0] === 'object'
    return isBlock && !isRepeatedOption(name) ? (value[0] as Value) : value
  }

  #object({ attributes, blocks }: Body): Value {
    const values = Array.from(attributes, ([name, { value }]) => [name, this.#scope.valueOf(value)] as const)
    const nested = unrolled(blocks).map(({ type, body }) => [type, this.#object(body)] as const)
    return Object.fromEntries([...values, ...nested])
  }
}

/** `dynamic "port" { content { } }` is a port, of which nobody here knows how often it is there. */
function unrolled(blocks: readonly Block[]): Block[] {
  return blocks.flatMap(block => {
    if (block.type !== 'dynamic') return block
    const content = block.body.blocks.find(({ type }) => type === 'content')
    return content === undefined ? [] : { ...content, type: block.labels[0] ?? '', at: block.at }
  })
}

/** As a job file would have it. */
export function written(value: Value): string {
  const unknown = unknownIn(value)
  if (value instanceof Unknown) return value.text
  if (unknown === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`
  return unknown.text
}
