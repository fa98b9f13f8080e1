import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { mayExecute } from './may-execute.ts'

/**
 * Why a native program does not run on this host; null: it does. A look at the file, never a run of it: every
 * start would wait for that, and what the kernel refuses to execute (ENOEXEC) execvp(3) hands to a shell,
 * which would read it as commands. Looked at is whether it may be executed (a file system mounted noexec says
 * no), for which processor it is, whether it is whole, and whether its dynamic loader is here (a build for
 * another C library has none). One for another processor is refused, also where an emulator is registered.
 */
export function whyUnusable(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats?.isFile()) return `${path} is ${stats === undefined ? 'not there' : 'no file'}`
  if (!mayExecute(path))
    return `${path} may not be executed by this user, or lies on a file system mounted noexec`
  const version = `${stats.dev}:${stats.ino}:${stats.mtimeMs}:${stats.size}`
  if (known?.path !== path || known.version !== version) {
    const why = whyOf(startOf(path))
    known = { path, version, why: why === null ? null : `${path} ${why}` }
  }
  return known.why
}

/** Of the file that was looked at last: there is one in a process, as a rule. */
let known: { readonly path: string; readonly version: string; readonly why: string | null } | undefined

const scriptMark = Buffer.from('#!')
const elfMark = Buffer.from('\x7fELF', 'latin1')

/** e_machine (elf.h), by what Node calls the processor. */
const machines: Partial<Record<NodeJS.Architecture, number>> = {
  ia32: 3,
  ppc64: 21,
  s390x: 22,
  arm: 40,
  x64: 62,
  arm64: 183,
  riscv64: 243,
  loong64: 258,
}

function whyOf({ head, size }: Start): string | null {
  if (head.subarray(0, 2).equals(scriptMark)) return null
  if (head.length < 64 || !head.subarray(0, 4).equals(elfMark)) return 'is no program'
  const machine = machines[process.arch]
  // The byte order of the file is that of its processor (EI_DATA).
  const found = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18)
  if (machine !== undefined && found !== machine) return `is not for this processor (${process.arch})`
  const headers = programHeaders(head)
  if (headers === null) return null
  if (!areWhole(headers, size)) return 'is cut off, or is no program'
  const loader = loaderOf(head, headers)
  if (loader !== null && !existsSync(loader))
    return `is built for another C library: there is no ${loader} on this host`
  return null
}

/** The start of a file, and how many bytes the whole of it has. */
type Start = { readonly head: Buffer; readonly size: number }

type ProgramHeader = { readonly type: number; readonly offset: number; readonly fileBytes: number }

/** p_type (elf.h): what is mapped, and the name of the loader. */
const load = 1
const interpreter = 3

/** The program headers of a 64-bit little-endian program (elf(5)); null: it is of another layout. */
function programHeaders(head: Buffer): readonly ProgramHeader[] | null {
  if (head[4] !== 2 || head[5] !== 1) return null
  const at = Number(head.readBigUInt64LE(32))
  const size = head.readUInt16LE(54)
  const starts = Array.from({ length: head.readUInt16LE(56) }, (_, index) => at + index * size)
  if (size !== 56 || starts.some(start => start + size > head.length)) return []
  return starts.map(start => ({
    type: head.readUInt32LE(start),
    offset: Number(head.readBigUInt64LE(start + 8)),
    fileBytes: Number(head.readBigUInt64LE(start + 32)),
  }))
}

/**
 * Whether all that the kernel maps is in the file. execve(2) refuses one without headers with ENOEXEC, and
 * execvp(3), which starts it, would then have a shell read it.
 */
function areWhole(headers: readonly ProgramHeader[], size: number): boolean {
  const mapped = headers.filter(({ type }) => type === load)
  return mapped.length > 0 && mapped.every(({ offset, fileBytes }) => offset + fileBytes <= size)
}

/** The dynamic loader that a program names (PT_INTERP, elf(5)); null: it names none. */
function loaderOf(head: Buffer, headers: readonly ProgramHeader[]): string | null {
  const start = headers.find(({ type }) => type === interpreter)?.offset
  const end = start === undefined ? -1 : head.indexOf(0, start)
  return end < 0 ? null : head.toString('latin1', start, end)
}

/** The headers, and the name of the loader behind them, are in the first page. */
function startOf(path: string): Start {
  const buffer = Buffer.alloc(4096)
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    // Execute permission alone is enough to run it, and not to look at it.
    return { head: scriptMark, size: scriptMark.length }
  }
  try {
    return { head: buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0)), size: fstatSync(fd).size }
  } finally {
    closeSync(fd)
  }
}
