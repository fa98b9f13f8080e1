import type { Phase } from './phase.ts'
import type { ExitRecord, StartRecord } from './shim-records.ts'

/**
 * What lies in the task's directory and in the process table when a task is opened; `corrupt` is a file that
 * is there and cannot be read. Look whether the shim lives *before* looking for records: it writes them
 * before it dies, so the other order would call a task lost whose record came between the two looks.
 */
export type Observation = {
  /** Null also for what lies there while the shim lives on: a shim goes when it has written its record. */
  readonly exit: ExitRecord | null | 'corrupt'
  readonly start: StartRecord | null | 'corrupt'
  /**
   * False when the boot id of the start record (else of the snapshot's) is not the running system's; true
   * where neither is known.
   */
  readonly sameBoot: boolean
  /**
   * Somebody holds the write end of `alive`, or that FIFO is gone or another, and the recorded process lives.
   */
  readonly shimAlive: boolean
  /** A process of the task is alive: cgroup not empty, or pid, start time and boot id match. */
  readonly treeAlive: boolean
  /** The shim has left anything at all: one of its FIFOs, a record or its temporary file, shim.log. */
  readonly traces: boolean
}

export type Reconciliation =
  /**
   * Restore the snapshot; its actors start again and find the task. With `adopt`, then send START with the
   * stored key: `launch` adopts.
   */
  | { readonly decision: 'resume'; readonly adopt: boolean }
  /**
   * The end is known. `record` null: it is in the snapshot already. Else markExited with the record's
   * outcome.
   */
  | { readonly decision: 'exited'; readonly record: ExitRecord | null; readonly killTree: boolean }
  /**
   * It ended and nobody knows how: markExited with `lostOutcome(reason, at)`, having killed what is left with
   * `killTree`.
   */
  | { readonly decision: 'lost'; readonly reason: string; readonly killTree: boolean }
  /**
   * Keep the files, report, go on with the others. With `control`, the task runs and can be stopped through
   * its FIFO.
   */
  | { readonly decision: 'quarantine'; readonly reason: string; readonly control: boolean }

/**
 * Decides what becomes of a stored task. The task's directory is the truth, the snapshot a cache of it that
 * may lag one step behind. The first row that fits:
 *
 * | snapshot | exit | boot | shim | start | decision |
 * | --- | --- | --- | --- | --- | --- |
 * | corrupt | any | any | any | any | quarantine, with control while the shim lives |
 * | exited | any | any | any | any | exited, as stored: an end is final |
 * | any | record | any | any | any | exited, as recorded: also after a reboot |
 * | any | corrupt | any | any | any | lost: it ended, the how is unreadable |
 * | configured, limited | none | any | dead | none, no traces | resume: it was never started |
 * | launching | none | any | dead | none, no traces | lost |
 * | any other | none | other | any | any | lost: the host has rebooted |
 * | any | none | same | dead | any | lost: the shim died before it could write; what is left of the tree is killed |
 * | running, stopping | none | same | alive | any | resume: the snapshot has its own copy of the start record |
 * | any other | none | same | alive | corrupt | quarantine, with control |
 * | launching | none | same | alive | record, none | resume: `launch` adopts, or waits for the record |
 * | configured, limited | none | same | alive | record, none | resume, adopt: the snapshot lags one step behind |
 *
 * A task is never run twice. Where no trace of a shim was left it could be started again, and is `lost` all
 * the same: the request may still be in the pipe of a spawner that outlived its supervisor by a moment.
 */
export function reconcile(stored: Phase | 'corrupt', seen: Observation): Reconciliation {
  const { exit, start, sameBoot, shimAlive } = seen
  // Pids and cgroup names of another boot say nothing about this one.
  const killTree = sameBoot && seen.treeAlive && !shimAlive
  const adopt = stored === 'configured' || stored === 'limited'
  const lost = (reason: string): Reconciliation => ({ decision: 'lost', reason, killTree })
  const control = sameBoot && shimAlive

  if (stored === 'corrupt')
    return { decision: 'quarantine', reason: 'the stored state cannot be read', control }
  if (stored === 'exited') return { decision: 'exited', record: null, killTree }
  if (exit === 'corrupt') return lost('The exit record cannot be read.')
  if (exit !== null) return { decision: 'exited', record: exit, killTree }
  if (isUntouched(seen) && adopt) return { decision: 'resume', adopt: false }
  if (isUntouched(seen) && stored === 'launching')
    return lost('The supervisor ended before the task was started; it was not started again.')
  if (!sameBoot) return lost('The host has rebooted; the task left no exit record.')
  if (!shimAlive) return lost("The task's shim is gone and left no exit record.")
  if (stored === 'running' || stored === 'stopping') return { decision: 'resume', adopt: false }
  if (start === 'corrupt')
    return { decision: 'quarantine', reason: 'the start record cannot be read', control }
  return { decision: 'resume', adopt }
}

function isUntouched({ start, shimAlive, treeAlive, traces }: Observation): boolean {
  return start === null && !shimAlive && !treeAlive && !traces
}
