import { once } from 'node:events'
import { closeSync, ftruncateSync, openSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { errnoName } from '../errno-name.ts'
import { randomHex } from '../random.ts'
import { mayExecute } from './may-execute.ts'
import { startProcess } from './start-process.ts'

/** A step towards a file system in a file, and with what it was refused. */
export type DiskRefusal = { readonly step: string; readonly errno: string }

/** The least that a file system can be made of. */
const smallestDisk = 1024 * 1024

/**
 * Makes an ext4 of exactly `bytes` in the file `path`, which must not exist; nothing of the file is written
 * but the tables of its file system. Without a journal: it does not outlive its task in use.
 */
export async function makeDisk(path: string, bytes: number): Promise<DiskRefusal | null> {
  const fd = openSync(path, 'wx', 0o600)
  try {
    ftruncateSync(fd, bytes)
  } finally {
    closeSync(fd)
  }
  return format(path)
}

/** Mounts it on a directory; the loop device goes with the mount. */
export function mountDisk(program: string, path: string, directory: string, bytes: number) {
  return refusalOf(program, ['mount', path, directory, `${bytes}`])
}

/** Makes one that is mounted larger, while it is used; what is there stays. Not smaller: step `size`. */
export function growDisk(program: string, path: string, directory: string, bytes: number) {
  return refusalOf(program, ['grow', path, directory, `${bytes}`])
}

/** Mounts it read-only. It must not be mounted, in whichever mount namespace. */
export function showDisk(program: string, path: string, directory: string) {
  return refusalOf(program, ['show', path, directory])
}

/** Takes away all that is mounted on a directory; whoever still reads there goes on reading. */
export function unmountDisk(program: string, directory: string) {
  return refusalOf(program, ['unmount', directory])
}

/**
 * Whether a file in this directory can be a file system of a bounded size: one is made, mounted where nobody
 * sees it, and written to until it is full. Nothing of it is left, however this ends.
 */
export function tryDisk(program: string, directory: string): Promise<DiskRefusal | null> {
  const known = `${program} ${statSync(directory).dev}`
  const before = tried.get(known)
  if (before !== undefined) return before
  const answer = tryOnce(program, directory)
  tried.set(known, answer)
  // What is missing may be installed meanwhile.
  const forget = (): boolean => tried.delete(known)
  answer.then(refusal => refusal !== null && forget(), forget)
  return answer
}

const tried = new Map<string, Promise<DiskRefusal | null>>()

async function tryOnce(program: string, directory: string): Promise<DiskRefusal | null> {
  const path = join(directory, `disk-trial.${randomHex(8)}`)
  const fd = openSync(path, 'wx+', 0o600)
  try {
    unlinkSync(path)
    // Of whoever may write no file of that size (RLIMIT_FSIZE).
    const errno = errnoOf(() => ftruncateSync(fd, smallestDisk))
    if (errno !== null) return { step: 'ftruncate', errno }
    return (await format('/dev/fd/0', fd)) ?? (await refusalOf(program, ['try', `${smallestDisk}`], fd))
  } finally {
    closeSync(fd)
  }
}

function errnoOf(call: () => void): string | null {
  try {
    call()
    return null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EIO'
  }
}

const formatters = ['/usr/sbin', '/sbin', '/usr/bin', '/bin', '/usr/local/sbin'].map(place =>
  join(place, 'mkfs.ext4'),
)

async function format(path: string, input: Input = 'ignore'): Promise<DiskRefusal | null> {
  const formatter = formatters.find(mayExecute)
  if (formatter === undefined) return { step: 'mkfs.ext4', errno: 'ENOENT' }
  const extended = 'nodiscard,lazy_itable_init=1,root_owner=0:0'
  const options = ['-q', '-F', '-m', '0', '-O', '^has_journal,^resize_inode', '-E', extended]
  const { status } = await run(formatter, [...options, path], input)
  return status === 0 ? null : { step: 'mkfs.ext4', errno: 'EIO' }
}

/** One call of the native program's mode `disk`. */
export function runDisk(program: string, args: readonly string[], input: Input = 'ignore') {
  return run(program, ['disk', ...args], input)
}

/** Null: it has been done. */
export async function refusalOf(
  program: string,
  args: readonly string[],
  input: Input = 'ignore',
): Promise<DiskRefusal | null> {
  const { status, output } = await runDisk(program, args, input)
  if (status === 0) return null
  const [errno = '', step = ''] = output.trim().split(' ')
  return step === '' ? { step: 'disk', errno: 'EIO' } : { step, errno: errnoName(Number(errno)) }
}

/** What is standard input: a file, or nothing. */
type Input = number | 'ignore'

const maxMs = 60_000

/** `status` null: it was killed, or took too long. */
async function run(
  program: string,
  args: readonly string[],
  input: Input,
): Promise<{ readonly status: number | null; readonly output: string }> {
  const child = startProcess(program, args, {
    stdio: [input, 'pipe', 'ignore'],
    env: {},
    cwd: '/',
    timeout: maxMs,
    killSignal: 'SIGKILL',
  })
  const answer: Buffer[] = []
  child.stdout?.on('data', (bytes: Buffer) => answer.push(bytes))
  // An error on the way has its listener, and is followed by this.
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, output: Buffer.concat(answer).toString() }
}
