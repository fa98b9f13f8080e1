import { readdirSync, readFileSync } from 'node:fs'

export type ProcessStat = {
  readonly pid: number
  readonly name: string
  /** A letter: `R`, `S`, `T`, `Z`, ... */
  readonly state: string
  readonly parent: number
  /** User and system time, in the kernel's ticks. */
  readonly cpuTicks: number
}

/**
 * The fields of a /proc/PID/stat by the numbers that proc_pid_stat(5) gives them: 1 is the pid, 2 the name.
 */
export function statFields(text: string): readonly string[] {
  // The name may hold anything, parentheses as well: the fields go on after the last one.
  const begin = text.indexOf('(')
  const end = text.lastIndexOf(')')
  return [
    '',
    text.slice(0, begin).trim(),
    text.slice(begin + 1, end),
    ...text
      .slice(end + 2)
      .trim()
      .split(' '),
  ]
}

/**
 * What the kernel says of a process; null when it is gone. The tests' own reader: what they find is not what
 * the library believes.
 */
export function statOf(pid: number, proc = '/proc'): ProcessStat | null {
  let text: string
  try {
    text = readFileSync(`${proc}/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  const fields = statFields(text)
  return {
    pid,
    name: fields[2] ?? '',
    state: fields[3] ?? '',
    parent: Number(fields[4]),
    cpuTicks: Number(fields[14]) + Number(fields[15]),
  }
}

/** Of every process there is, zombies included. */
export function statOfAll(proc = '/proc'): ProcessStat[] {
  return readdirSync(proc)
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => statOf(Number(name), proc) ?? [])
}

/** A zombie is dead, unless it is the first thread alone of one that goes on. */
export function isLiving(stat: ProcessStat | null, proc = '/proc'): stat is ProcessStat {
  return stat !== null && (!hasEnded(stat) || threadsOf(stat.pid, proc).some(thread => !hasEnded(thread)))
}

const hasEnded = ({ state }: ProcessStat): boolean => state === 'Z' || state === 'X'

function threadsOf(pid: number, proc: string): ProcessStat[] {
  try {
    return statOfAll(`${proc}/${pid}/task`)
  } catch {
    return []
  }
}

/** 0 when it is gone. */
export function parentOf(pid: number): number {
  return statOf(pid)?.parent ?? 0
}
