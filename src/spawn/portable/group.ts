import { setTimeout as sleep } from 'node:timers/promises'
import { isZombie, processTable } from '../process-table.ts'

/**
 * Waits until nobody living is in a process group that has been killed, for `maxMs` at most; resolves to the
 * pids of those who still are. A process that was sent SIGKILL runs on until it is next scheduled, which on a
 * busy host is after its task's result would be told.
 * Nothing is killed again: fork(2) fails with a signal pending, so one signal reaches everybody, and an
 * emptied group's number may be another's.
 */
export async function untilGroupGone(group: number, maxMs: number): Promise<number[]> {
  const deadline = performance.now() + maxMs
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs + 1, 50)) {
    const members = membersOf(group)
    if (members.length === 0 || performance.now() >= deadline) return members
    await sleep(pauseMs)
  }
}

/**
 * Zombies are dead, however long their parent takes to notice. Where there is no /proc they cannot be told
 * apart, nor anybody be named but the group.
 */
function membersOf(group: number): number[] {
  if (!hasMembers(group)) return []
  const table = processTable()
  if (table.length === 0) return [group]
  return table.filter(entry => entry.group === group && !isZombie(entry)).map(({ pid }) => pid)
}

function hasMembers(group: number): boolean {
  try {
    return process.kill(-group, 0)
  } catch (error) {
    // EPERM: there is somebody, who has become another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
