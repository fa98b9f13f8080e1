import type { Executor } from '../../index.ts'
import type { TaskRecord } from './record.ts'

/** A task of Nomad's that this process holds. */
export type Task = {
  readonly record: TaskRecord
  readonly stateDir: string
  readonly executor: Executor
}

export function hasEnded({ executor }: Task): boolean {
  return executor.state === 'exited'
}
