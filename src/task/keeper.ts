import type { StartRecord } from '../../machines/index.ts'
import { platform } from '../platform/index.ts'
import type { Platform, TaskRequest } from '../platform/port.ts'
import { currentBootId } from '../spawn/process-table.ts'

/** The platform that looks after the processes of a task. */
export function keeperOf({ platform: name }: TaskRequest): Platform {
  return platform(name)
}

/** Kills what a shim left behind. Only for a shim that is gone. Resolves to the survivors. */
export async function killLeftovers(
  keeper: Pick<Platform, 'killTree' | 'release'>,
  start: StartRecord | null,
): Promise<readonly number[]> {
  if (start === null || start.bootId !== currentBootId()) return []
  const survivors = await keeper.killTree(start)
  // A cgroup that cannot be removed now is audit's; the end of the task is told all the same.
  await keeper.release(start.cgroups).catch(() => {})
  return survivors
}
