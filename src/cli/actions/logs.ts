import type { Executor, LogOptions, OutputChunk } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { print, Remarks } from '../output/printing.ts'
import { TimedLines } from '../output/timed-lines.ts'
import { parseCount } from '../parse/number.ts'
import { parseSince } from '../parse/since.ts'
import { withSupervisor } from '../with-supervisor.ts'

export type LogsOptions = CommonOptions & {
  readonly follow?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly timestamps?: boolean
  readonly tail?: string
  readonly since?: string
}

export async function logs([word = '']: readonly string[], asked: LogsOptions): Promise<number> {
  const { stateDir, follow, stdout, stderr, timestamps, tail, since } = asked
  const options: LogOptions = {
    follow: follow ?? false,
    ...(tail !== undefined && { tail: parseCount('--tail', tail) }),
    ...(since !== undefined && { since: parseSince('--since', since) }),
  }
  // Both flags are both streams.
  const only = stdout === stderr ? null : stdout ? 'stdout' : 'stderr'
  return await withSupervisor({ stateDir }, async supervisor => {
    const { task } = await findTask(supervisor, word)
    if (only === null) await printBoth(task, options, timestamps ?? false)
    else if (timestamps) await printLines(task.output$({ ...options, only }), () => 'stdout')
    else for await (const bytes of task.logs$(only, options)) await print('stdout', bytes)
    return 0
  })
}

async function printBoth(task: Executor, options: LogOptions, timestamps: boolean): Promise<void> {
  if (timestamps) return await printLines(remarked(task.output$(options)), stream => stream)
  for await (const { stream, bytes } of remarked(task.output$(options))) await print(stream, bytes)
}

async function* remarked(chunks: AsyncIterable<OutputChunk>): AsyncGenerator<OutputChunk> {
  const remarks = new Remarks()
  const seen = new Set<string>()
  for await (const chunk of chunks) {
    seen.add(chunk.stream)
    await remarks.about(chunk, seen)
    yield chunk
  }
}

async function printLines(
  chunks: AsyncIterable<OutputChunk>,
  to: (stream: 'stdout' | 'stderr') => 'stdout' | 'stderr',
): Promise<void> {
  const lines = new TimedLines()
  for await (const chunk of chunks)
    for (const { stream, text } of lines.push(chunk)) await print(to(stream), text)
  for (const { stream, text } of lines.rest()) await print(to(stream), text)
}
