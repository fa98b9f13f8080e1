import type { Writable } from 'node:stream'
import { HoldfastError } from '../../errors.ts'
import type { Executor } from '../../index.ts'
import { print } from '../output/printing.ts'
import { CallerTerminal, windowSize } from './caller-terminal.ts'
import { DetachKeys } from './detach-keys.ts'
import { untilShown } from './present-screen.ts'

/** How much of what is typed waits here for a task that does not read. */
const maxTyped = 1 << 20

/**
 * Gives a running task the caller's terminal until it ends, or until the caller wants it back (Ctrl-P Ctrl-Q,
 * a terminal that is closed, `letGo`). Resolves when the terminal is as it was; `ended`: all that the task
 * has shown was shown. `joined`: the task has been running, and its screen is to be shown first.
 */
export async function atTerminal(
  task: Executor,
  { joined, letGo }: { readonly joined: boolean; readonly letGo: AbortSignal },
): Promise<'ended' | 'detached'> {
  const leaving = new AbortController()
  const input = inputOf(task)
  const terminal = await CallerTerminal.take()
  const output = task.logs$('stdout', { follow: true })[Symbol.asyncIterator]()
  letGo.addEventListener('abort', () => leaving.abort())
  if (letGo.aborted) leaving.abort()
  try {
    terminal.onInput(typing(input, () => leaving.abort()))
    const resize = () => void task.resize(windowSize()).catch(() => {})
    terminal.onSize(resize)
    if (!joined) resize()
    const shown = show(task, output, terminal, joined)
    return await Promise.race([shown.then(() => 'ended' as const), aborted(leaving.signal)])
  } finally {
    input?.destroy()
    await output.return?.()
    await terminal.giveBack()
  }
}

/** Null: it has ended by now, and what it has shown is to be shown all the same. */
function inputOf(task: Executor): Writable | null {
  try {
    return task.openInput()
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'INVALID_STATE') return null
    throw error
  }
}

function typing(input: Writable | null, leave: () => void): (typed: Uint8Array | null) => void {
  const keys = new DetachKeys()
  return typed => {
    if (typed === null) return leave()
    const { bytes, detached } = keys.pass(typed)
    // A task that does not read loses what is typed beyond that, and never the way out.
    if (bytes.length > 0 && input?.writable && input.writableLength < maxTyped) input.write(bytes)
    if (detached) leave()
  }
}

/**
 * To the end of the task's output. No faster than it is taken, which holds up nobody: it is read from the
 * task's log.
 */
async function show(
  task: Executor,
  output: AsyncIterator<Uint8Array>,
  terminal: CallerTerminal,
  joined: boolean,
): Promise<void> {
  let next = joined ? null : output.next()
  if (next === null) {
    const present = await untilShown(output, windowSize())
    terminal.shows(present.screen)
    await print('stdout', present.screen)
    next = present.next
    await redrawn(task)
  }
  for (let piece = await next; !piece.done; piece = await output.next()) {
    terminal.shows(piece.value)
    await print('stdout', piece.value)
  }
}

/** A program draws its screen anew when the size changes, and not when it is told the same. */
async function redrawn(task: Executor): Promise<void> {
  const { rows, columns } = windowSize()
  await task.resize({ rows: rows + 1, columns }).catch(() => {})
  await task.resize({ rows, columns }).catch(() => {})
}

function aborted(signal: AbortSignal): Promise<'detached'> {
  return new Promise(resolve => {
    if (signal.aborted) resolve('detached')
    else signal.addEventListener('abort', () => resolve('detached'), { once: true })
  })
}
