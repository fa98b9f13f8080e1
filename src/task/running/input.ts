import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { HoldfastError } from '../../errors.ts'
import type { TaskParts } from '../effects/task-parts.ts'
import { written } from '../stop-means.ts'

/**
 * The FIFO through which anybody who may feeds a task; its shim holds it. Throws UNSUPPORTED, INVALID_STATE.
 */
export function openInput(task: Pick<TaskParts, 'dir' | 'file'>): Writable {
  const sink = new Socket({ fd: openDoor(task), readable: false, writable: true })
  // The task has ended, or reads no further: that is the result's to say.
  return sink.on('error', () => {})
}

/** The order waits behind what is in the FIFO. Throws UNSUPPORTED, INVALID_STATE. */
export function endInput(task: Pick<TaskParts, 'dir' | 'file'>): void {
  closeSync(openDoor(task))
  if (!written(task.dir, 'end')) throw ended()
}

function openDoor({ dir, file }: Pick<TaskParts, 'dir' | 'file'>): number {
  const path = `${dir}/input`
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    if (fstatSync(fd).isFIFO()) return fd
    closeSync(fd)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // Nobody reads it.
    if (code === 'ENXIO') throw ended()
    if (code !== 'ENOENT')
      throw new HoldfastError('PERMISSION', `the task's standard input cannot be opened: ${message}`, {
        errno: code,
        path,
      })
  }
  const { stdin = 'null' } = file.spec.request.command
  const given = file.spec.request.fed ? 'a stream of the program that started it' : JSON.stringify(stdin)
  throw new HoldfastError(
    'UNSUPPORTED',
    `the task has no standard input to write to: command.stdin was ${given}`,
    {
      hint: "Start it with a terminal, or with stdin: 'attach'; on the command line with -t, or with -i --detach.",
    },
  )
}

function ended(): HoldfastError {
  return new HoldfastError('INVALID_STATE', 'the standard input of the task is at its end')
}
