import { chownSync, closeSync, constants, openSync, readSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { LaunchSpec } from '../spec.ts'
import { makeFifos } from '../fifos.ts'

/**
 * Carries a FIFO's bytes, of which `source` is the reading end (O_NONBLOCK), into a pipe of the task's, and
 * gives the end of that which the task reads.
 * `later`: its writer may come when the task runs, and the end is when he has gone; a poll that finds no
 * writer tells of no end before there has been one (fs/pipe.c). `now`: without one it is at its end. The pipe
 * is a FIFO without a name, so that the task may open /dev/stdin.
 */
export function carryInput(
  source: number,
  { dir, credentials }: Pick<LaunchSpec, 'dir' | 'credentials'>,
  writer: 'later' | 'now' = 'later',
): number {
  const fifo = `${dir}/stdin.tmp`
  makeFifos(fifo)
  const both = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  // What the task gets waits; neither opening does, for `both` is its other end.
  const end = openSync(fifo, constants.O_RDONLY | constants.O_NOFOLLOW)
  const sink = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  if (credentials !== null && process.geteuid?.() === 0) chownSync(fifo, credentials.uid, credentials.gid)
  unlinkSync(fifo)
  closeSync(both)
  const begun = writer === 'now' ? readWaiting(source) : { bytes: [], isOver: false }
  const to = new Socket({ fd: sink, readable: false, writable: true })
  for (const bytes of begun.bytes) to.write(bytes)
  if (begun.isOver) {
    closeSync(source)
    to.on('error', () => {}).end()
  } else {
    // Whoever goes first: what the task has not read is nobody's.
    pipeline(new Socket({ fd: source, readable: true, writable: false }), to, () => {})
  }
  return end
}

/**
 * What is in it. A poll would never tell the end of one whose writer had gone before it was opened
 * (fs/pipe.c), a read does. One that gives more than a pipe can hold (pipe(7): 1 MiB) has a writer.
 */
function readWaiting(source: number): { readonly bytes: readonly Buffer[]; readonly isOver: boolean } {
  const bytes: Buffer[] = []
  for (let room = 2 ** 20; room > 0;) {
    const block = Buffer.alloc(65_536)
    try {
      const count = readSync(source, block)
      if (count === 0) return { bytes, isOver: true }
      bytes.push(block.subarray(0, count))
      room -= count
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      break
    }
  }
  return { bytes, isOver: false }
}
