import { filter, firstValueFrom, reduce, scan } from 'rxjs'
import type { Executor, LogOptions } from '../../src/index.ts'

/** What is in a task's log now (or, with `follow`, at its end), as text. */
export function output(
  task: Executor,
  stream: 'stdout' | 'stderr' = 'stdout',
  options?: LogOptions,
): Promise<string> {
  return firstValueFrom(task.logs$(stream, options).pipe(reduce(append, '')))
}

/**
 * Waits until the task has written `text`: how a test knows that a script has come to a certain point.
 * Resolves to all output so far.
 */
export function untilOutput(task: Executor, text: string): Promise<string> {
  return firstValueFrom(
    task.logs$('stdout', { follow: true }).pipe(
      scan(append, ''),
      filter(all => all.includes(text)),
    ),
  )
}

/** Starts the task, waits for its end, and gives what it wrote to standard output. */
export async function outputOf(task: Executor): Promise<string> {
  await task.start()
  await task.wait()
  return output(task)
}

function append(text: string, chunk: Uint8Array): string {
  return text + Buffer.from(chunk).toString('latin1')
}
