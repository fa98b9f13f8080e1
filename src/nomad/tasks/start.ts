import { join } from 'node:path'
import { AllocDir, type Executor } from '../../index.ts'
import { invalidArgument } from '../../invalid-argument.ts'
import type { AgentFault } from '../agent/fault.ts'
import type { LogConfig } from '../agent/log-config.ts'
import type { AgentConfig } from '../config/agent-config.ts'
import { fromMsgpack } from '../config/msgpack.ts'
import { readTaskOptions, type TaskOptions } from '../config/task-config.ts'
import type { Log } from '../plumbing/hclog.ts'
import type { TaskConfig } from '../wire/task-messages.ts'
import { commandOf } from './command.ts'
import type { Notice } from './event-hub.ts'
import { keptLogs } from './kept-logs.ts'
import { NetworkFiles } from './network-files.ts'
import { type TaskRecord, TaskRecords } from './record.ts'
import { hostShares, taskLimits } from './resources.ts'
import { streams } from './streams.ts'
import type { Supervisors } from './supervisors.ts'
import type { Task } from './task.ts'
import { checkPlaces } from './system-places.ts'
import type { TaskTable } from './task-table.ts'

export type StartContext = {
  readonly table: TaskTable
  readonly supervisors: Supervisors
  readonly config: AgentConfig
  readonly stateDir: string
  readonly log: Log
  /** Whether a task gets a root of its own on this node. */
  readonly hasOwnRoot: () => Promise<boolean>
}

export type Started = {
  readonly task: Task
  /** What is otherwise than the job says, and goes on all the same. */
  readonly notices: readonly Notice[]
}

/** Starts a task; resolves when its program has been exec'ed. A start that fails leaves nothing behind. */
export async function startTask(config: TaskConfig, context: StartContext): Promise<Started> {
  const { table, stateDir, log } = context
  if ((await table.find(config.id)) !== null)
    throw invalidArgument('task id', config.id, 'one that is not started already')
  const options = readTaskOptions(fromMsgpack(config.msgpack_driver_config, 'config'))
  const { executor, notices } = await prepare(config, options, context)
  const forgotten = await table.endForgotten({ id: config.id, allocId: config.alloc_id, name: config.name })
  if (forgotten > 0)
    log('warn', 'ended an earlier start of the task, of which the agent has not heard', {
      task_id: config.id,
    })
  const record: TaskRecord = {
    v: 1,
    id: config.id,
    key: executor.key,
    allocId: config.alloc_id,
    name: config.name,
    startedAt: Date.now(),
    ...(options.stop_signal_target !== null && { stopTarget: options.stop_signal_target }),
  }
  const task = { record, stateDir, executor }
  // On disk before anything runs: when we are killed now, whoever asks for the task by its id finds it.
  new TaskRecords(stateDir).write(record)
  table.add(task)
  try {
    executor.command.mounts?.push(...new NetworkFiles(stateDir).make(executor.key, config))
    await executor.start()
  } catch (error) {
    await table.remove(config.id).catch((left: unknown) => {
      log('error', 'a start that failed could not be cleaned up', { task_id: config.id, error: String(left) })
    })
    throw error
  }
  for (const { message } of notices) log('warn', message, { task_id: config.id })
  return { task, notices }
}

/** All that can be refused is refused here, before there is anything to clean up. */
async function prepare(
  config: TaskConfig,
  options: TaskOptions,
  context: StartContext,
): Promise<{ readonly executor: Executor; readonly notices: readonly Notice[] }> {
  await checkPlaces(join(config.alloc_dir, config.name), context.hasOwnRoot)
  const command = commandOf(config, options, context.config)
  const limits = taskLimits(config, options, { ...hostShares, pids: context.config.default_pids })
  const allocation = new AllocDir(config.alloc_dir)
  const [{ kept, fault }] = await Promise.all([
    keptLogs(config, options, context.config),
    allocation.adopt([config.name]),
  ])
  const executor = context.supervisors.at(context.stateDir).executor()
  Object.assign(executor.command, command, streams(config, kept))
  await executor.configureTaskDir(config.name, allocation)
  await executor.limit(limits)
  return { executor, notices: fault === null || kept === null ? [] : [logsNotice(fault, kept)] }
}

function logsNotice({ message, option }: AgentFault, { maxFiles, maxFileMiB }: LogConfig): Notice {
  return {
    message: `${message}; of each log ${maxFiles} files of ${maxFileMiB} MiB are kept`,
    annotations: { option },
  }
}
