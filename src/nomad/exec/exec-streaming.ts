import { once } from 'node:events'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { type Executor, HoldfastError } from '../../index.ts'
import type { PluginState } from '../plugin-state.ts'
import { exitResult } from '../tasks/exit-result.ts'
import { intoFifos } from '../tasks/streams.ts'
import type { Message } from '../wire/codec.ts'
import { sentence } from '../wire/errors.ts'
import { commandIn } from './exec-task.ts'
import { ExecInput } from './exec-input.ts'
import { ExecOutput } from './exec-output.ts'

type Request = {
  readonly setup: { task_id: string; command: readonly string[]; tty: boolean } | null
  readonly tty_size: { height: number; width: number } | null
  readonly stdin: { data: Buffer; close: boolean } | null
}
type Call = ServerDuplexStream<Message, object>

/** Until the agent says otherwise, which it does at once. */
const defaultSize = { rows: 24, columns: 80 }

/** `nomad alloc exec`: a command with somebody at its other end. It ends with them, too. */
export async function execStreaming(state: PluginState, call: Call, gone: AbortSignal): Promise<void> {
  const requests = call[Symbol.asyncIterator]() as AsyncIterator<Request>
  const first = await requests.next()
  const setup = first.done ? null : first.value.setup
  if (first.done || setup === null) throw new Error('ExecTaskStreaming: the first message has no setup')
  const { executor: task, stateDir } = await state.table.get(setup.task_id)
  const command = commandIn(task, setup.command)
  const input = await ExecInput.open(stateDir)
  const outputs = await Promise.all([ExecOutput.open(stateDir), ExecOutput.open(stateDir)])
  const [stdout, stderr] = outputs
  const streams = { stdin: input.path, stdout: stdout.path, stderr: stderr.path, logs: intoFifos }
  Object.assign(command.command, streams)
  if (setup.tty) {
    const size = first.value.tty_size
    command.command.terminal = size === null ? defaultSize : sizeOf(size)
    command.command.env.TERM ??= 'xterm'
  }
  const hangUp = () => void command.forceStop().catch(() => {})
  try {
    const failure = await command.start().then(() => null, programFailure)
    if (failure !== null) return tellFailure(call, failure)
    gone.addEventListener('abort', hangUp, { once: true })
    if (gone.aborted) hangUp()
    void feed(requests, input, command).catch(hangUp)
    await Promise.all([show(call, 'stdout', stdout, gone), show(call, 'stderr', stderr, gone)])
    call.write({ stdout: { close: true } })
    call.write({ stderr: { close: true } })
    call.write({ exited: true, result: exitResult(await command.wait()) })
  } finally {
    gone.removeEventListener('abort', hangUp)
    for (const end of [input, ...outputs]) end.close()
    await command.destroy()
  }
}

type ProgramFailure = { readonly message: string; readonly exitCode: number }

/** Of a program that is not there, or cannot be run, with a shell's exit codes. Throws any other error. */
function programFailure(error: unknown): ProgramFailure {
  if (!(error instanceof HoldfastError) || error.stage !== 'exec') throw error
  return { message: sentence(error), exitCode: error.errno === 'ENOENT' ? 127 : 126 }
}

/**
 * As output and a result: the frame in which Nomad passes an error on holds 123 bytes (RFC 6455, 5.5), and
 * whoever asked would see "unexpected EOF".
 */
function tellFailure(call: Call, { message, exitCode }: ProgramFailure): void {
  call.write({ stderr: { data: Buffer.from(`${message}\n`) } })
  call.write({ stdout: { close: true } })
  call.write({ stderr: { close: true } })
  call.write({ exited: true, result: { exit_code: exitCode, signal: 0, oom_killed: false } })
}

/** Messages without anything in them are heartbeats. */
async function feed(requests: AsyncIterator<Request>, input: ExecInput, command: Executor): Promise<void> {
  for (let next = await requests.next(); !next.done; next = await requests.next()) {
    const { tty_size: size, stdin } = next.value
    if (size !== null) await command.resize(sizeOf(size)).catch(() => {})
    if (stdin !== null && stdin.data.length > 0) await input.write(stdin.data)
    if (stdin?.close) input.end()
  }
}

/**
 * Resolves when the command has ended and all of the stream is on its way, or whoever asked for it has gone.
 */
async function show(
  call: Call,
  name: 'stdout' | 'stderr',
  output: ExecOutput,
  gone: AbortSignal,
): Promise<void> {
  for await (const data of output.read()) {
    if (gone.aborted) return
    if (!call.write({ [name]: { data } })) await once(call, 'drain', { signal: gone }).catch(() => {})
  }
}

function sizeOf({ height, width }: { height: number; width: number }) {
  const cells = (count: number, usual: number) => (count > 0 ? Math.min(count, 65_535) : usual)
  return { rows: cells(height, defaultSize.rows), columns: cells(width, defaultSize.columns) }
}
