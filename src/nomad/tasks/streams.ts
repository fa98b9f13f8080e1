import { dirname, join } from 'node:path'
import type { Command } from '../../index.ts'
import type { LogConfig } from '../agent/log-config.ts'
import type { TaskConfig } from '../wire/task-messages.ts'

const mebibyte = 1024 * 1024

/**
 * Into FIFOs: nobody starts another reader in the place of one that has died, and the task goes on. The shim
 * does it with the native program only.
 */
export const intoFifos = process.platform === 'linux' ? 'collected' : 'plain'

/**
 * A task's output: the FIFOs of the client's collector; or, where the node collects by itself and `kept`
 * says how much, the files that the collector would write, `<task>.stdout.0` and so on, beside which the
 * FIFOs would lie.
 */
export function streams(
  task: Pick<TaskConfig, 'name' | 'stdout_path' | 'stderr_path'>,
  kept: LogConfig | null,
): Pick<Command, 'stdout' | 'stderr' | 'logs'> {
  if (kept === null)
    return {
      stdout: fifo(task.stdout_path),
      stderr: fifo(task.stderr_path),
      logs: intoFifos,
    }
  const file = (path: string, stream: string) =>
    isOff(path) ? 'null' : join(dirname(path), `${task.name}.${stream}`)
  return {
    stdout: file(task.stdout_path, 'stdout'),
    stderr: file(task.stderr_path, 'stderr'),
    logs: {
      maxBytes: Math.min(Math.floor(kept.maxFileMiB * mebibyte), Number.MAX_SAFE_INTEGER),
      maxFiles: kept.maxFiles,
      numbering: 'increment',
    },
  }
}

/** `/dev/null` where the job has turned its logs off. */
export function isOff(path: string): boolean {
  return path === '' || path === '/dev/null'
}

function fifo(path: string): string {
  return isOff(path) ? 'null' : path
}
