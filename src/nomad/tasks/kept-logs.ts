import { AgentFault } from '../agent/fault.ts'
import { type LogConfig, logConfigOf, nomadsDefault } from '../agent/log-config.ts'
import type { AgentConfig } from '../config/agent-config.ts'
import type { TaskOptions } from '../config/task-config.ts'
import type { TaskConfig } from '../wire/task-messages.ts'
import { isOff } from './streams.ts'

type Collection = Pick<AgentConfig, 'collect_logs' | 'log_max_files' | 'log_max_file_size' | 'agent'>

/** How many files of a stream can be kept. */
const files = { min: 2, max: 100 }

/**
 * How much is kept of a task's logs. Null: the client's collector has them. What `config.logs` says counts
 * first, then the job's `logs` block, where the plugin may ask the agent for it; the node's own sizes else.
 * `fault`: the block could not be had; the task starts all the same.
 */
export async function keptLogs(
  task: Pick<TaskConfig, 'alloc_id' | 'name' | 'stdout_path' | 'stderr_path'>,
  { logs: { max_files, max_file_size } }: Pick<TaskOptions, 'logs'>,
  config: Collection,
): Promise<{ readonly kept: LogConfig | null; readonly fault: AgentFault | null }> {
  if (!config.collect_logs) return { kept: null, fault: null }
  const over = ({ maxFiles, maxFileMiB }: LogConfig): LogConfig => {
    return { maxFiles: max_files ?? maxFiles, maxFileMiB: max_file_size ?? maxFileMiB }
  }
  const isSaid = max_files !== null && max_file_size !== null
  const hasNone = isOff(task.stdout_path) && isOff(task.stderr_path)
  if (config.agent === null || isSaid || hasNone) return { kept: over(ofNode(config)), fault: null }
  try {
    const asked = await logConfigOf(config.agent, { allocId: task.alloc_id, name: task.name })
    return { kept: over(fitted(asked)), fault: null }
  } catch (error) {
    if (!(error instanceof AgentFault)) throw error
    return { kept: over(ofNode(config)), fault: error }
  }
}

export function ofNode({
  log_max_files,
  log_max_file_size,
}: Pick<AgentConfig, 'log_max_files' | 'log_max_file_size'>): LogConfig {
  const { maxFiles, maxFileMiB } = nomadsDefault
  return { maxFiles: log_max_files ?? maxFiles, maxFileMiB: log_max_file_size ?? maxFileMiB }
}

/** As many files as can be, of a size with which they take as much as the job has planned for. */
export function fitted({ maxFiles, maxFileMiB }: LogConfig): LogConfig {
  const possible = Math.min(Math.max(maxFiles, files.min), files.max)
  return { maxFiles: possible, maxFileMiB: (maxFiles * maxFileMiB) / possible }
}
