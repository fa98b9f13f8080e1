import { invalidArgument } from '../../invalid-argument.ts'

const takes = 'NAME=SOFT or NAME=SOFT:HARD, such as nofile=1024:4096; a number, or unlimited'

/** One limit of setrlimit(2). Which names there are is the library's to say. Throws INVALID_ARGUMENT. */
export function parseUlimit(text: string): Record<string, number | [number, number]> {
  const [, name, soft, hard] =
    /^([a-z]+)=(\d{1,15}|unlimited|-1)(?::(\d{1,15}|unlimited|-1))?$/i.exec(text) ?? []
  if (name === undefined || soft === undefined) throw invalidArgument('--ulimit', text, takes)
  return { [name.toLowerCase()]: hard === undefined ? limit(soft) : [limit(soft), limit(hard)] }
}

function limit(text: string): number {
  return text === '-1' || text.toLowerCase() === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
}
