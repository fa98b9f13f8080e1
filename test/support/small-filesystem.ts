import { execFileSync } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { removeTemporary, temporaryDirectory } from './temporary.ts'

/** A tmpfs of its own for one test (root only); unmounted when `body` is done. */
export async function withFilesystem(options: string, body: (path: string) => Promise<void>): Promise<void> {
  const path = temporaryDirectory('filesystem')
  execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0711,${options}`, 'tmpfs', path])
  try {
    await body(path)
  } finally {
    await unmount(path)
    removeTemporary(path)
  }
}

/**
 * Patiently: whoever looks through the files of all processes, as `audit` does, keeps it busy for a moment.
 */
function unmount(path: string): Promise<void> {
  return eventually(() => void execFileSync('umount', [path], { stdio: 'pipe' }))
}

/** Writes until nothing goes any more. Returns the file to remove again. */
export function fill(path: string): string {
  const ballast = join(path, 'ballast')
  const fd = openSync(ballast, 'w')
  try {
    for (const size of [64 * 1024, 4096, 512, 1]) while (wrote(fd, size));
  } finally {
    closeSync(fd)
  }
  return ballast
}

function wrote(fd: number, size: number): boolean {
  try {
    return writeSync(fd, Buffer.alloc(size)) === size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}
