import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StartRecord } from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'
import { currentBootId } from '../spawn/process-table.ts'
import { readStart } from '../spawn/records.ts'
import { workingShims } from '../spawn/shims.ts'
import { endTask } from './end-task.ts'
import { giveBack, type OwnUser } from './own-users/own-users.ts'
import { aliveIsHeld } from './shim-life.ts'
import { isTaskKey } from './task-id.ts'
import type { TaskServices } from './task-services.ts'
import type { TaskSpec } from './task-spec.ts'

const letGoMs = 3000
const pauseMs = 20

/** A task whose stored state is of no use: killed through its shim, or past it, and removed. */
export async function discardTask(
  services: Pick<TaskServices, 'state' | 'keepAlive'>,
  key: string,
): Promise<void> {
  const dir = services.state.taskDirectory(key)
  if (!isTaskKey(key)) return
  services.state.assertTrusted(key)
  if (!existsSync(dir)) return
  const start = processesOf(dir, key)
  const survivors = start === null ? [] : await services.keepAlive.while(endTask(dir, start))
  if (survivors.length > 0)
    throw new HoldfastError('LOST', `processes of task ${key} are still alive: ${survivors.join(', ')}`, {
      stage: 'stop',
      path: dir,
    })
  if (!(await isLetGo(dir)))
    throw new HoldfastError('LOST', `the shim of task ${key} is alive, and its start record cannot be read`, {
      stage: 'stop',
      path: dir,
      hint: 'Root sees who it is: `sudo holdfast rm --force` with the same --state-dir.',
    })
  const own = ownUserOf(services, key)
  await services.state.removeAlloc(key)
  services.state.remove(key)
  if (own !== null) giveBack(own, { stateDir: services.state.path, key })
}

/** Null also where task.json cannot be read: then the user is found free by who looks for one. */
function ownUserOf({ state }: Pick<TaskServices, 'state'>, key: string): OwnUser | null {
  try {
    const { spec } = JSON.parse(state.read(key) ?? '') as { readonly spec?: Partial<TaskSpec> }
    return spec?.ownUser ?? null
  } catch {
    return null
  }
}

/**
 * The last threads of a process that was killed hold its files for a moment after it counts as dead. Where no
 * FIFO lies in the place of `alive`, nobody holds it: its shim, if any, was found by the directory it has
 * open.
 */
async function isLetGo(dir: string): Promise<boolean> {
  const end = performance.now() + letGoMs
  while (aliveIsHeld(dir)) {
    if (performance.now() > end) return false
    await sleep(pauseMs)
  }
  return true
}

/** By its record; where that is of no use either, by the shim that has the directory open. */
function processesOf(dir: string, key: string): StartRecord | null {
  const start = readStart(dir)
  if (start !== null && !('corrupt' in start)) return start
  const found = workingShims().find(working => working.key === key && working.dir === dir)
  return found === undefined ? null : startOf(found.shim, [])
}

/**
 * What a start record would say that is needed to kill a task: all that descends from its shim is the task's.
 */
export function startOf(shim: StartRecord['shim'], cgroups: readonly string[]): StartRecord {
  return {
    format: 'holdfast.start',
    version: 1,
    shim,
    task: shim,
    init: null,
    bootId: currentBootId(),
    startedAt: 0,
    cgroups,
  }
}
