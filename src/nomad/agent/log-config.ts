import * as z from 'zod/mini'
import { ask } from './ask.ts'
import { type AgentAccess, AgentFault } from './fault.ts'

/** A job's `logs` block: how many files of how many MiB are kept of each stream. */
export type LogConfig = { readonly maxFiles: number; readonly maxFileMiB: number }

/** Of a job that says nothing; the servers write it into the job. */
export const nomadsDefault: LogConfig = { maxFiles: 10, maxFileMiB: 10 }

const count = z.int().check(z.minimum(1), z.maximum(2 ** 31 - 1))
const named = z.object({ Name: z.string() })
const task = z.extend(named, {
  LogConfig: z.nullish(z.object({ MaxFiles: count, MaxFileSizeMB: count })),
})
/** Of an allocation, in the JSON of Nomad's API, the parts that are used here. */
const allocation = z.object({
  ID: z.string(),
  TaskGroup: z.string(),
  Job: z.object({ TaskGroups: z.array(z.extend(named, { Tasks: z.array(task) })) }),
})

/**
 * What the job of an allocation says of a task's logs, asked of the agent. Any server may answer: the one
 * that has told this node of the allocation knows it. Rejects with AgentFault, and nothing else.
 */
export async function logConfigOf(
  access: AgentAccess,
  { allocId, name }: { readonly allocId: string; readonly name: string },
): Promise<LogConfig> {
  const answer = await ask(access, `/v1/allocation/${encodeURIComponent(allocId)}?stale`)
  const { data } = allocation.safeParse(answer)
  const group = data?.Job.TaskGroups.find(({ Name }) => Name === data.TaskGroup)
  const found = data?.ID === allocId ? group?.Tasks.find(({ Name }) => Name === name) : undefined
  if (found === undefined)
    throw new AgentFault('address', `what ${access.address} answers is not Nomad's allocation with this task`)
  if (!found.LogConfig) return nomadsDefault
  return { maxFiles: found.LogConfig.MaxFiles, maxFileMiB: found.LogConfig.MaxFileSizeMB }
}
