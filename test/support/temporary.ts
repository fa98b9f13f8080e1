import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made = new Set<string>()

/** A new directory that others may pass through (a task of another user has to), removed when the run ends at the latest. */
export function temporaryDirectory(name = 'test'): string {
  const path = mkdtempSync(join(tmpdir(), `holdfast-${name}-`))
  chmodSync(path, 0o711)
  made.add(path)
  return path
}

export function removeTemporary(path: string): void {
  rmSync(path, { recursive: true, force: true })
  made.delete(path)
}

export function removeTemporaries(): void {
  for (const path of [...made]) removeTemporary(path)
}
