import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from '../errors.ts'

const pauseMs = 50

/**
 * Reads a record as soon as it can be read. A program that is out of file descriptors for a moment (EMFILE),
 * or a disk that fails a read (EIO), knows nothing about the task: to take that for an answer would invent a
 * result, or lose one.
 */
export async function retryTransient<Value>(read: () => Value): Promise<Value> {
  for (;;) {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'INVALID_STATE') throw error
      await sleep(pauseMs)
    }
  }
}
