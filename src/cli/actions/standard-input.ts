import { execFileSync } from 'node:child_process'
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Our own standard input, for a command that gets it through a FIFO. */
export type PassedOnInput = {
  /** The FIFO. */
  readonly path: string
  /** From now on somebody reads. */
  begin(): void
  end(): void
}

/**
 * Not our own descriptor: what a command leaves behind would keep it, and with it a terminal in which somebody goes on typing. Ends with its
 * source, so that the command sees the end of file.
 */
export function passedOnInput(): PassedOnInput {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-'))
  const path = join(directory, 'stdin')
  execFileSync('mkfifo', ['-m', '600', path], { stdio: ['ignore', 'ignore', 'pipe'] })
  // Both ways, so that the opening waits for nobody.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const fifo = new Socket({ fd, readable: false, writable: true })
  // Whoever read has gone: that is no failure of ours.
  fifo.on('error', () => fifo.destroy())
  return {
    path,
    begin: () => {
      process.stdin.pipe(fifo)
      rmSync(directory, { recursive: true, force: true })
    },
    end: () => {
      process.stdin.unpipe(fifo).destroy()
      fifo.destroy()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
