import { join } from 'node:path'
import { rotationOf } from '../platform/index.ts'
import { egressLogFiles, egressLogName } from './egress.ts'
import type { LogSource } from './log-stream.ts'
import type { OutputSource, OutputStream } from './output-reader.ts'
import type { TaskActor } from './task-actor.ts'
import type { TaskProcess } from './task-process.ts'
import type { TaskServices } from './task-services.ts'

/** Where the output of a task lies, and until when there may be more of it. */
export function taskOutput(
  process: TaskProcess,
  actor: TaskActor,
  { state, keepAlive }: TaskServices,
): OutputSource {
  const rotation = (stream: OutputStream) => rotationOf(process.spec.request.command, stream)
  return {
    log: stream => {
      const { maxFiles = 1, numbering } = rotation(stream) ?? {}
      return { target: process.log(stream), files: maxFiles, ...(numbering && { numbering }) }
    },
    dir: state.taskDirectory(process.spec.request.key),
    indexFiles: () => (rotation('stdout') ?? rotation('stderr'))?.maxFiles ?? 0,
    writing: () => actor.live().getSnapshot().status === 'active',
    onEnd: ended => actor.onEnd(ended),
    hold: () => keepAlive.hold(),
  }
}

/** Where the decisions about its destinations lie. */
export function taskEgress(...task: Parameters<typeof taskOutput>): LogSource {
  const { dir, writing, onEnd, hold } = taskOutput(...task)
  const target = { base: null, path: join(dir, egressLogName) }
  return { target: () => target, files: () => egressLogFiles, writing, onEnd, hold }
}
