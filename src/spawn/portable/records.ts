import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { renameOver } from '../rename-over.ts'
import type { ExitRecord, StartRecord } from '../../../machines/index.ts'

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
  renameOver(temporary, `${dir}/${name}`)
}
