import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { put, type Sink, type Source, standard, type Streams, take } from './streams.ts'
import { type List, type Node, parse, type Part, type Redirect, type Word } from './syntax.ts'
import { pause, Stop, tools } from './tools.ts'

/** Runs scripts, one step after the other; what is put in the background is a process of its own. */
export class Shell {
  readonly #variables = new Map<string, string>()
  readonly #arguments: readonly string[]
  readonly #children: number[] = []

  constructor(args: readonly string[]) {
    this.#arguments = args
  }

  /** The exit code. Throws Stop where the script says `exit`. */
  run(script: string, streams: Streams): number {
    return this.#list(parse(script), streams)
  }

  tool(name: string, args: readonly string[], streams: Streams): number {
    const tool = tools[name.replace(/^\/(usr\/)?bin\//, '')]
    if (tool === undefined) throw new Error(`${name}: this shell has no such tool`)
    return tool(args, streams) ?? 0
  }

  #list(list: List, streams: Streams): number {
    let status = 0
    for (const { node, background } of list)
      status = background === null ? this.#node(node, streams) : this.#background(node, background)
    return status
  }

  #node(node: Node, streams: Streams): number {
    switch (node.kind) {
      case 'simple':
        return this.#redirected(node.redirects, streams, inner => this.#simple(node.words, inner))
      case 'not':
        return this.#node(node.body, streams) === 0 ? 1 : 0
      case 'and':
        return this.#node(node.left, streams) || this.#node(node.right, streams)
      case 'or':
        return this.#node(node.left, streams) && this.#node(node.right, streams)
      case 'pipe': {
        const chunks: Buffer[] = []
        const [input, out, err] = streams
        this.#node(node.left, [input, chunks, err])
        return this.#node(node.right, [{ rest: Buffer.concat(chunks) }, out, err])
      }
      case 'group':
        return subshell(() => this.#list(node.body, streams))
      case 'loop':
        while ((this.#list(node.test, streams) === 0) !== node.until) this.#list(node.body, streams)
        return 0
      case 'for':
        for (const value of this.#expand(node.words)) {
          this.#variables.set(node.name, value)
          this.#list(node.body, streams)
        }
        return 0
    }
  }

  #simple(words: readonly Word[], streams: Streams): number {
    const [name = '', ...args] = this.#expand(words)
    const [, variable, value = ''] = args.length === 0 ? (/^(\w+)=([^]*)$/.exec(name) ?? []) : []
    if (variable !== undefined) {
      this.#variables.set(variable, value)
      return 0
    }
    if (name === 'exec') throw new Stop(this.tool(args[0] ?? '', args.slice(1), streams))
    if (name === 'read') return this.#read(args[0] ?? 'REPLY', streams)
    if (name === 'wait') return this.#wait()
    return this.tool(name, args, streams)
  }

  /** Not in Node's job: it outlives this shell, as it does elsewhere. */
  #background(node: Node, text: string): number {
    const script = node.kind === 'group' ? node.script : text
    const child = spawn(process.execPath, [process.argv[1] ?? '', 'sh', '-c', script], {
      detached: true,
      stdio: 'inherit',
      windowsHide: true,
    })
    if (child.pid !== undefined) this.#children.push(child.pid)
    return 0
  }

  #wait(): number {
    while (this.#children.some(isAlive)) pause(20)
    return 0
  }

  #read(name: string, [input]: Streams): number {
    let line = ''
    for (;;) {
      const byte = take(input, 1).toString('latin1')
      if (byte === '' || byte === '\n') {
        this.#variables.set(name, line)
        return byte === '' ? 1 : 0
      }
      line += byte
    }
  }

  #redirected(redirects: readonly Redirect[], streams: Streams, work: (inner: Streams) => number): number {
    const inner: [Source, Sink, Sink] = [...streams]
    const opened: number[] = []
    try {
      for (const { fd, how, to } of redirects) {
        const [target = ''] = this.#expand([to])
        if (how === '>&') inner[fd] = inner[Number(target)] as number
        else opened.push((inner[fd] = openTarget(target, how)))
      }
    } catch (error) {
      put(streams[2], `sh: ${(error as Error).message}\n`)
      return 1
    }
    try {
      return work(inner)
    } finally {
      for (const file of opened) closeSync(file)
    }
  }

  #expand(words: readonly Word[]): string[] {
    return words.flatMap(word =>
      word.some(part => part.kind === 'variable' && part.text === '@')
        ? [...this.#arguments]
        : fieldsOf(
            word.map(part => ({ split: !part.quoted && part.kind !== 'text', value: this.#value(part) })),
          ),
    )
  }

  #value(part: Part): string {
    switch (part.kind) {
      case 'text':
        return part.text
      case 'variable':
        return part.text === '$' ? String(process.pid) : this.#variable(part.text)
      case 'sum':
        return String(this.#sum(part.text))
      case 'output': {
        const chunks: Buffer[] = []
        subshell(() => this.run(part.script, [standard[0], chunks, standard[2]]))
        return Buffer.concat(chunks).toString().replace(/\n+$/, '')
      }
    }
  }

  /** Names and numbers, added up. */
  #sum(text: string): number {
    return text
      .split('+')
      .map(term => Number(this.#variables.get(term.trim().replace(/^\$/, '')) ?? term))
      .reduce((sum, term) => sum + term, 0)
  }

  #variable(name: string): string {
    return this.#variables.get(name) ?? process.env[name] ?? ''
  }
}

/** Where it is not quoted, a space in a value is the end of a word. */
function fieldsOf(parts: readonly { readonly split: boolean; readonly value: string }[]): string[] {
  const fields: string[] = []
  let open: string | null = null
  for (const { split, value } of parts) {
    const [first = '', ...more] = split ? value.trim().split(/\s+/) : [value]
    if (!split || first !== '') open = (open ?? '') + first
    for (const field of more) {
      fields.push(open ?? '')
      open = field
    }
  }
  return open === null ? fields : [...fields, open]
}

function openTarget(target: string, how: '>' | '>>' | '<'): number {
  return openSync(target === '/dev/null' ? devNull : target, { '>': 'w', '>>': 'a', '<': 'r' }[how])
}

function subshell(work: () => number): number {
  try {
    return work()
  } catch (error) {
    if (error instanceof Stop) return error.code
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
