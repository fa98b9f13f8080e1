import type { StartRecord } from '../../machines/index.ts'
import { type ControlLine, sendControl } from '../spawn/control.ts'
import { isAlive } from '../spawn/process-table.ts'
import { leaveWord } from '../spawn/left-word.ts'
import { isStopped, signalProcess } from '../spawn/send-signal.ts'

/** Milliseconds after a kill: the shim is told once more, past its FIFO. */
const tellAgainMs = 1000
/** The task is killed past its shim. */
const bypassMs = 3000
/**
 * The shim itself is killed, and the task is lost where something of it is left. Not earlier unless it is
 * stopped or nothing of the task is left: it gives up on what cannot be killed after 10 s, names the
 * survivors and says so in its record.
 */
export const overdueMs = 15_000

/** How a task's end is brought about, and what there is to bring it about with. */
export type StopMeans = {
  readonly dir: string
  /** As recorded or remembered; null: nothing is known of its processes. */
  start(): StartRecord | null
  /** Kills what belongs to the task but its shim. Resolves to the survivors. */
  killTask(start: StartRecord): Promise<readonly number[]>
  /**
   * Resolves after that many milliseconds, or when it is abandoned: the task has ended, or is another's to
   * stop.
   */
  pause(milliseconds: number): Promise<void>
  readonly abandoned: AbortSignal
}

/**
 * Sends an order to the shim: down its FIFO, and where that is gone, or is no FIFO any more, by the signal
 * that means the same to it. One that somebody has stopped is continued. Null when there is no shim to be
 * reached.
 */
export function tellShim(
  { dir, start }: Pick<StopMeans, 'dir' | 'start'>,
  line: ControlLine,
): 'fifo' | 'signal' | null {
  const shim = start()?.shim
  // Always: a stop may take effect a moment after it was looked for, and a pending one is taken back by this.
  if (shim !== undefined) signalProcess(shim, 'SIGCONT')
  if (written(dir, line)) return 'fifo'
  const signal = line === 'kill' ? 'SIGUSR2' : 'SIGTERM'
  if (line !== 'kill') leaveWord(dir, line)
  return shim !== undefined && signalProcess(shim, signal, stopValue(line)) ? 'signal' : null
}

/** What a `stop` says, as the value of a signal (docs/native-protocol.md). */
function stopValue(line: ControlLine): bigint | undefined {
  const [, signal, grace, leader] = /^stop (\d+) (\d+)( leader)?$/.exec(line) ?? []
  if (signal === undefined || grace === undefined) return undefined
  const max = 2n ** 55n - 1n
  const graceMs = BigInt(grace) < max ? BigInt(grace) : max
  return (graceMs << 8n) | (leader === undefined ? 0n : 128n) | BigInt(signal)
}

/**
 * After the deadline: kills the task by one means after the other, each when the one before has had its time.
 * The shim is asked first, since it alone can say how the task ended; with `continue` it is only continued,
 * and acts on a deadline of its own. Resolves when it is abandoned, or when the last means has had its time,
 * and then to the survivors, without a shim or a PID 1 that are dying.
 */
export async function killByAllMeans(
  means: StopMeans,
  bypassed: () => void = () => {},
  tell: 'kill' | 'continue' = 'kill',
): Promise<readonly number[]> {
  const reached = tell === 'kill' ? tellShim(means, 'kill') : null
  // Where its FIFO is gone, the directory may be, and with it the record.
  if (reached === 'signal') bypassed()
  if (reached !== null) await means.pause(tellAgainMs)
  const start = means.start()
  if (means.abandoned.aborted || start === null) return []
  const { shim } = start
  signalProcess(shim, 'SIGCONT')
  // What is in the FIFO may never be read: it may be another's.
  if (tell === 'kill') signalProcess(shim, 'SIGUSR2')
  await means.pause(bypassMs - tellAgainMs)
  let survivors: readonly number[] = []
  const end = performance.now() + overdueMs - bypassMs
  while (performance.now() < end && !means.abandoned.aborted) {
    bypassed()
    survivors = await means.killTask(start)
    await means.pause(tellAgainMs)
    // PID 1 is not gone before the shim has taken note of the leader's end.
    survivors = survivors.length === 1 && survivors[0] === start.init?.pid ? [] : survivors
    if (isStopped(shim) && survivors.length === 0) break
  }
  if (means.abandoned.aborted) return []
  if (isAlive(shim)) signalProcess(shim, 'SIGKILL')
  await means.pause(2 * tellAgainMs)
  return survivors
}

/** Whether a shim reads it; whatever stands in the place of the FIFO, and whoever owns that. */
export function written(dir: string, line: ControlLine): boolean {
  try {
    return sendControl(dir, line)
  } catch {
    return false
  }
}
