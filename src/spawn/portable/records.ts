import { closeSync, fdatasyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import type { ExitRecord, ProcessIdentity, StartRecord } from '../../../machines/index.ts'

/** Readers see the old file or the whole new one, never a part. */
export function writeRecord(
  dir: string,
  name: string,
  record: StartRecord | ExitRecord,
  durable: boolean,
): void {
  const temporary = `${dir}/${name}.tmp`
  const fd = openSync(temporary, 'w', 0o600)
  try {
    writeSync(fd, JSON.stringify(record))
    if (durable) fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, `${dir}/${name}`)
}

/** The start time is field 22 of /proc/PID/stat, counted after the last `)`: the name before it may hold anything. 0 where there is no /proc. */
export function identityOf(pid: number): ProcessIdentity {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return { pid, startTime: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) }
  } catch {
    return { pid, startTime: 0 }
  }
}

export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
