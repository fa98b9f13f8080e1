import { dirname, join } from 'node:path'
import type { Command } from '../../index.ts'
import type { AgentConfig } from '../config/agent-config.ts'
import type { TaskOptions } from '../config/task-config.ts'
import type { TaskConfig } from '../wire/task-messages.ts'

type Collection = Pick<AgentConfig, 'collect_logs' | 'log_max_files' | 'log_max_file_size'>

/** What a job's `logs` block means where it says nothing. The block itself is not told to drivers. */
const defaults = { maxFiles: 10, maxFileMiB: 10 }

const mebibyte = 1024 * 1024

/**
 * Into FIFOs: nobody starts another reader in the place of one that has died, and the task goes on. The shim
 * does it with the native program only.
 */
export const intoFifos = process.platform === 'linux' ? 'collected' : 'plain'

/**
 * A task's output: the FIFOs of the client's collector; or, where the node collects by itself, the files that
 * the collector would write, `<task>.stdout.0` and so on, beside which the FIFOs would lie.
 */
export function streams(
  task: Pick<TaskConfig, 'name' | 'stdout_path' | 'stderr_path'>,
  { logs }: Pick<TaskOptions, 'logs'>,
  { collect_logs, log_max_files, log_max_file_size }: Collection,
): Pick<Command, 'stdout' | 'stderr' | 'logs'> {
  if (!collect_logs)
    return {
      stdout: fifo(task.stdout_path),
      stderr: fifo(task.stderr_path),
      logs: intoFifos,
    }
  const file = (path: string, stream: string) =>
    fifo(path) === 'null' ? 'null' : join(dirname(path), `${task.name}.${stream}`)
  return {
    stdout: file(task.stdout_path, 'stdout'),
    stderr: file(task.stderr_path, 'stderr'),
    logs: {
      maxBytes: (logs.max_file_size ?? log_max_file_size ?? defaults.maxFileMiB) * mebibyte,
      maxFiles: logs.max_files ?? log_max_files ?? defaults.maxFiles,
      numbering: 'increment',
    },
  }
}

/** `/dev/null` where the job has turned its logs off. */
function fifo(path: string): string {
  return path === '' || path === '/dev/null' ? 'null' : path
}
