import { openSync, readFileSync, writeSync } from 'node:fs'
import type { Supervisor } from '../../../src/index.ts'
import type { Ending } from './kinds.ts'

export type Entry =
  | ({
      readonly what: 'transition'
      readonly key: string
      readonly name: string
      readonly sequence: number
    } & { readonly from: string; readonly to: string })
  | ({ readonly what: 'result'; readonly key: string; readonly name: string } & Ending)
  | { readonly what: 'asked' | 'destroyed'; readonly key: string; readonly name: string }

/**
 * What a supervisor says, line by line, written by the very call that hears it: a killed one has said what
 * stands there and nothing else.
 */
export class Journal {
  readonly #fd: number

  constructor(path: string) {
    this.#fd = openSync(path, 'a')
  }

  add(entry: Entry): void {
    writeSync(this.#fd, `${JSON.stringify(entry)}\n`)
  }

  listen(supervisor: Supervisor): void {
    supervisor.transitions$.subscribe(({ task, from, to, sequence }) =>
      this.add({ what: 'transition', ...task, from, to, sequence }),
    )
    supervisor.results$.subscribe(({ task, cause, exitCode, signal, evidence }) =>
      this.add({ what: 'result', ...task, cause, exitCode, signal, evidence }),
    )
  }
}

/** The last line may be half written. */
export function readJournal(path: string): Entry[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map(line => JSON.parse(line) as Entry)
}
