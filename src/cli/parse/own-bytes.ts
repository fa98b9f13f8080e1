import { readFileSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'

/** What Node puts in the place of bytes that are no UTF-8. */
const replaced = '\ufffd'

/**
 * Refuses an argument that Node could not read as it is: what would be run is something else. Linux only,
 * where the kernel keeps the bytes. Throws INVALID_ARGUMENT.
 */
export function refuseChangedArguments(args: readonly string[], file = '/proc/self/cmdline'): void {
  if (!args.some(argument => argument.includes(replaced))) return
  // Node's own come before them.
  const callerArgs = stringsOf(file).slice(-args.length)
  const index = args.findIndex(
    (argument, at) => callerArgs[at] !== undefined && isChanged(argument, callerArgs[at]),
  )
  const bytes = callerArgs[index]
  if (bytes === undefined) return
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `argument ${index + 1}: got bytes that are no UTF-8 (${escaped(bytes)}), and would pass on something else`,
    {
      hint: "Have a script name it: holdfast run -- sh -c ..., with the bytes as printf '\\351' makes them.",
    },
  )
}

type Passed = { readonly flag?: string; readonly file?: string }

/** The same for a variable of our own that `flag` passes on. Its value is not part of the error. */
export function refuseChangedVariable(
  name: string,
  value: string,
  { flag = '--env', file = '/proc/self/environ' }: Passed = {},
): void {
  if (!value.includes(replaced)) return
  const start = Buffer.from(`${name}=`)
  const entry = stringsOf(file).find(bytes => bytes.subarray(0, start.length).equals(start))
  if (entry === undefined || !isChanged(value, entry.subarray(start.length))) return
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `${flag}: the value of ${name} here has bytes that are no UTF-8, and something else would be passed on`,
    { hint: 'Set it in the task itself, by a script that makes the bytes.' },
  )
}

function isChanged(text: string, bytes: Buffer): boolean {
  return text === bytes.toString() && !Buffer.from(text).equals(bytes)
}

function escaped(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[^\x20-\x7e]/g, byte => {
    return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}

/** NUL-terminated strings; none where there is no such file. */
function stringsOf(file: string): Buffer[] {
  let all: Buffer
  try {
    all = readFileSync(file)
  } catch {
    return []
  }
  const strings: Buffer[] = []
  for (let at = 0; at < all.length;) {
    const found = all.indexOf(0, at)
    const end = found === -1 ? all.length : found
    strings.push(all.subarray(at, end))
    at = end + 1
  }
  return strings
}
