import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made = new Set<string>()
// Not by a hook of the runner: that one may hold another instance of this module (a loader has one for
// require and one for import).
process.once('exit', () => {
  for (const path of made) rmSync(path, { recursive: true, force: true })
})

/**
 * A new directory that others may pass through (a task of another user has to), removed when the run ends at
 * the latest.
 */
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
