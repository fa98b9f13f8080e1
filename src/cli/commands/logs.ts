import type { Command } from 'commander'
import type { Executor, LogOptions, OutputChunk } from '../../index.ts'
import { print, Remarks } from '../output/printing.ts'
import { TimedLines } from '../output/timed-lines.ts'
import { parseCount } from '../parse/number.ts'
import { parseSince } from '../parse/since.ts'
import { withTask } from '../with-supervisor.ts'
import { carriedOutBy, subcommand, type CommonOptions } from './subcommand.ts'

export function logsCommand(): Command {
  const command = subcommand('logs')
    .summary('print the output of a task')
    .description(
      'Prints what a task has written, byte for byte: both its streams in the order in which they came, standard error on standard error.',
    )
    .argument('<TASK>')
    .option('-f, --follow', 'go on until it has ended')
    .option('--stdout', 'its standard output only')
    .option('--stderr', 'its standard error only, on standard output')
    .option('-t, --timestamps', 'the time before each line')
    .option('--since <TIME>', 'only what came at this time or later: 10m (ago), or 2026-01-31T12:00:00Z')
    .option('-n, --tail <COUNT>', 'begin with the last COUNT lines')
    .addHelpText('after', more)
  return carriedOutBy(command, logs)
}

const more = `
Examples:
  holdfast logs --tail 20 web
  holdfast logs -f --stderr web | grep -i error
  holdfast logs --timestamps --since 10m web

Exit codes: 0; 1 if there is no such task or its log could not be read.`

type LogsOptions = CommonOptions & {
  readonly follow?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly timestamps?: boolean
  readonly tail?: string
  readonly since?: string
}

async function logs(asked: LogsOptions, word?: string): Promise<number> {
  const { stateDir, follow, stdout, stderr, timestamps, tail, since } = asked
  const options: LogOptions = {
    follow: follow ?? false,
    ...(tail !== undefined && { tail: parseCount('--tail', tail) }),
    ...(since !== undefined && { since: parseSince('--since', since) }),
  }
  // Both flags are both streams.
  const only = stdout === stderr ? null : stdout ? 'stdout' : 'stderr'
  return await withTask({ stateDir }, word, async ({ task }) => {
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
