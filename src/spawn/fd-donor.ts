import type { ChildProcess } from 'node:child_process'
import { fstatSync } from 'node:fs'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { ProcessIdentity } from '../../machines/index.ts'
import { assertSpareDescriptors } from './spare-descriptors.ts'
import { LaunchFailed } from './spawner.ts'
import type { LaunchSpec } from './spec.ts'
import { startProcess } from './start-process.ts'

/**
 * A process that holds descriptors of this one, by the same numbers, where an ordinary user's spawner may
 * open them.
 */
export type FdDonor = {
  readonly process: ProcessIdentity
  /** Resolves when it is gone. What has been opened through it stays open. */
  close(): Promise<void>
}

/** The descriptors of this process that a task asks for, by number, whether they are open or not. */
export function descriptorsOf({
  stdin,
  stdout,
  stderr,
}: Pick<LaunchSpec, 'stdin' | 'stdout' | 'stderr'>): number[] {
  const callerFiles = [stdin, stdout, stderr].filter(
    ({ base, path }) => base === null && path.startsWith('fd:'),
  )
  return [...new Set(callerFiles.map(({ path }) => Number(path.slice('fd:'.length))))]
}

/**
 * Nobody in a user namespace below ours is shown a descriptor of this process: proc_pid_fd(5) asks for the
 * right to trace it, and so for capabilities in our own namespace. So a process of the native program
 * inherits them and enters the spawner's. Those that are not open here are not there either: the shim says
 * so, as it does of root's. Rejects with LaunchFailed.
 */
export async function donateDescriptors(
  program: string,
  spawner: ProcessIdentity,
  numbers: readonly number[],
): Promise<FdDonor> {
  assertSpareDescriptors()
  const open = numbers.filter(isOpen)
  const control = Math.max(2, ...open) + 1
  const stdio = Array.from({ length: control + 1 }, (_, number) =>
    number === control ? ('pipe' as const) : open.includes(number) ? number : ('ignore' as const),
  )
  const child = startProcess(program, ['donate', `${spawner.pid}`, `${spawner.startTime}`, `${control}`], {
    stdio,
    env: {},
    cwd: '/',
  })
  const gone = once(child, 'close').catch(() => {})
  const socket = child.stdio[control] as Socket | undefined
  const answer = await answerOf(child, socket)
  const [, startTime] = /^donates (\d+)$/.exec(answer) ?? []
  const close = async () => {
    socket?.end()
    await gone
  }
  if (startTime === undefined || child.pid === undefined) {
    await close()
    const [, errno, what] = /^failed (\d+) (.*)$/.exec(answer) ?? [null, '0', answer]
    throw new LaunchFailed('fork', Number(errno), `donating descriptors: ${what}`)
  }
  return { process: { pid: child.pid, startTime: Number(startTime) }, close }
}

/** The one line that it says, or why it said none. */
function answerOf(child: ChildProcess, socket: Socket | undefined): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, signal) => resolve(text.trim() || `it ended with ${signal ?? code}`))
    socket?.on('error', () => {})
    socket?.on('data', chunk => {
      text += chunk.toString('latin1')
      if (text.includes('\n')) resolve(text.trim())
    })
  })
}

export function isOpen(fd: number): boolean {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}
