import type { Cause } from '../../../machines/index.ts'

/** How a task ended, as far as it is told from outside. */
export type Ending = {
  readonly cause: Cause
  readonly exitCode: number | null
  readonly signal: string | null
  readonly evidence: 'record' | 'inferred'
}

/**
 * One kind of task. Each start appends a line to `started`; what it is about to end with, a task writes to
 * `ending`.
 */
export type Kind = {
  readonly path?: string
  readonly script: string
  /** Stopped by its first supervisor as soon as it runs, by the last one, or never. */
  readonly stopped: 'first' | 'last' | 'never'
  readonly graceMs: number
  /** All that a task of this kind may come to once its program has run, as `cause exitCode signal`. */
  readonly endings: readonly string[]
  /** Removed by its first supervisor when it has ended. */
  readonly destroyed?: boolean
}

const begin = 'echo started >> $HOLDFAST_TASK_DIR/started'
const note = (ending: string) => `echo ${ending} > $HOLDFAST_TASK_DIR/ending`
const graceful = { stopped: 'never', graceMs: 30_000 } as const

export const kinds: Readonly<Record<string, Kind>> = {
  zero: { ...graceful, script: `${begin}; ${note('0')}; exit 0`, endings: ['exited 0 null'] },
  three: { ...graceful, script: `${begin}; sleep 0.03; ${note('3')}; exit 3`, endings: ['exited 3 null'] },
  signaled: { ...graceful, script: `${begin}; kill -USR1 $$`, endings: ['signaled null SIGUSR1'] },
  parent: {
    ...graceful,
    script: `${begin}; sleep 1000 & sleep 1000 & ${note('4')}; exit 4`,
    endings: ['exited 4 null'],
  },
  missing: { ...graceful, path: '/nonexistent/program', script: '', endings: ['startFailed null null'] },
  // SIGTERM may come before the trap is set.
  orderly: {
    script: `trap '${note('9')}; exit 9' TERM; ${begin}; while :; do sleep 0.01; done`,
    stopped: 'first',
    graceMs: 30_000,
    endings: ['shutdown 9 null', 'shutdown null SIGTERM'],
  },
  // With its supervisor dead past the deadline, the next one kills at once: then nobody has ever asked in
  // peace.
  deaf: {
    script: `trap '' TERM; ${begin}; while :; do sleep 0.01; done`,
    stopped: 'first',
    graceMs: 60,
    endings: ['forced null SIGKILL', 'shutdown null SIGTERM'],
  },
  forced: {
    script: `${begin}; exec sleep 1000`,
    stopped: 'first',
    graceMs: 0,
    endings: ['forced null SIGKILL'],
  },
  runner: {
    script: `${begin}; exec sleep 1000`,
    stopped: 'last',
    graceMs: 30_000,
    endings: ['shutdown null SIGTERM'],
  },
  removed: { ...graceful, script: `${begin}; exit 5`, endings: ['exited 5 null'], destroyed: true },
}

/** What a task may come to that was never started, because its supervisor died too early. */
export const unstarted: readonly string[] = ['lost null null', 'startFailed null null']

export function spell({ cause, exitCode, signal }: Ending): string {
  return `${cause} ${exitCode} ${signal}`
}
