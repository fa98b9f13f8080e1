import { closeSync, existsSync, openSync, readdirSync } from 'node:fs'
import { put, type Source, type Streams, take } from './streams.ts'

/** The script says `exit`, or its last program has ended. */
export class Stop extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

/** An exit code, or 0. */
type Tool = (args: readonly string[], streams: Streams) => number | void

/** What the contract's scripts call, as far as they need it. */
export const tools: Readonly<Record<string, Tool>> = {
  ':': () => {},
  true: () => {},
  exit: ([code = '0']) => {
    throw new Stop(Number(code))
  },
  echo: (args, [, out]) => put(out, `${args.join(' ')}\n`),
  printf: ([format = '', ...args], [, out]) => put(out, printed(format, args)),
  '[': args => (holds(args.slice(0, -1)) ? 0 : 1),
  sleep: ([seconds]) => pause(Number(seconds) * 1000),
  kill: () => {
    process.kill(process.pid, 'SIGKILL')
  },
  // There are no signals: nothing to be deaf to, nothing to answer.
  trap: () => {},
  ulimit: () => {},
  env: (_, [, out]) => {
    for (const [name, value] of Object.entries(process.env)) put(out, `${name}=${value}\n`)
  },
  pwd: (_, [, out]) => put(out, `${process.cwd()}\n`),
  ls: ([path = '.'], [, out]) => {
    for (const name of readdirSync(path).sort()) put(out, `${name}\n`)
  },
  seq: (args, [, out]) => {
    const [first, last] = args.length === 1 ? [1, Number(args[0])] : args.map(Number)
    let text = ''
    for (let number = first ?? 1; number <= (last ?? 0); number++) text += `${number}\n`
    put(out, text)
  },
  cat: ([path], [input, out]) => copy(path, input, bytes => put(out, bytes)),
  wc: (_, [input, out]) => {
    let count = 0
    copy(undefined, input, ({ length }) => (count += length))
    put(out, `${count}\n`)
  },
  head: ([, count, path], [input, out]) => {
    if (path === '/dev/zero') put(out, Buffer.alloc(Number(count)))
    else copy(path, input, bytes => put(out, bytes), Number(count))
  },
  tr: ([from, to = ''], [input, out]) =>
    copy(undefined, input, bytes =>
      put(out, bytes.toString('latin1').replaceAll(from === '\\0' ? '\0' : (from ?? ''), to)),
    ),
  yes: (_, [, out]) => {
    for (;;) put(out, 'y\n'.repeat(1000))
  },
}

export function pause(milliseconds: number): void {
  Atomics.wait(never, 0, 0, milliseconds)
}

const never = new Int32Array(new SharedArrayBuffer(4))

function holds([left = '', operator = '', right = '']: readonly string[]): boolean {
  if (left === '!') return !holds([operator, right])
  if (left === '-e') return existsSync(operator)
  if (operator === '-lt') return Number(left) < Number(right)
  throw new Error(`[ ${left} ${operator} ${right} ]: not understood`)
}

/** As printf(1) does, with the format again for as long as there are arguments. */
function printed(format: string, args: readonly string[]): string {
  const left = [...args]
  let text = ''
  do
    text += format.replace(/\\n|%(\d*)[sd]/g, (found, width: string) =>
      found === '\\n' ? '\n' : (left.shift() ?? '').padStart(Number(width)),
    )
  while (left.length > 0)
  return text
}

function copy(path: string | undefined, input: Source, give: (bytes: Buffer) => void, max = Infinity): void {
  const source = path === undefined ? input : openSync(path, 'r')
  for (let left = max; left > 0;) {
    const bytes = take(source, Math.min(left, 65_536))
    if (bytes.length === 0) break
    give(bytes)
    left -= bytes.length
  }
  if (path !== undefined) closeSync(source as number)
}
