import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { nativeProgram } from './native-program.ts'

/**
 * Puts the terminal that is this program's standard input back when that is asked for, or this program has
 * ended, also killed.
 */
export interface TerminalKeeper {
  /** What to write to the terminal then, in place of what was said before. Makes it raw once more. */
  say(text: string): void
  /** Resolves when it has put it back. */
  restore(): Promise<void>
}

/**
 * Makes the terminal that is standard input raw, entirely (what Node calls raw adds a carriage return to each
 * newline), by a process of its own: whatever ends this one, the modes before are set again. Null where there
 * is no native program, or no terminal.
 */
export async function makeTerminalRaw(): Promise<TerminalKeeper | null> {
  const native = nativeProgram()
  if (!('path' in native)) return null
  const keeper = spawn(native.path, ['terminal'], {
    cwd: '/',
    env: {},
    // In a session of its own: what kills our group must leave it.
    detached: true,
    stdio: ['inherit', 'pipe', 'ignore'],
  })
  const ended = once(keeper, 'close').catch(() => {})
  const ready = await Promise.race([once(socketOf(keeper), 'data').catch(() => null), ended.then(() => null)])
  if (ready === null) return null
  const socket = socketOf(keeper)
  keeper.unref()
  socket.unref()
  return {
    say: text => void socket.write(`${text}\0`),
    restore: async () => {
      keeper.ref()
      socket.end()
      await ended
    },
  }
}

/** Node's pipes to a child are sockets, good for both ways. */
function socketOf({ stdout }: ChildProcess): Socket {
  const socket = stdout as unknown as Socket
  return socket.listenerCount('error') > 0 ? socket : socket.on('error', () => {})
}
