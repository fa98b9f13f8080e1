import { strict as assert } from 'node:assert'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readStart } from '../../src/spawn/records.ts'
import { detectCgroups } from '../../src/platform/linux/cgroup-mode.ts'
import { existingParents } from '../../src/platform/linux/cgroup-parents.ts'
import type { Executor } from '../../src/index.ts'
import { foreignProcesses } from './foreign-programs.ts'
import { isLiving, statOfAll } from './process-stat.ts'
import { directoryOf, keyOf } from './task-key.ts'

const cgroupRoot = '/sys/fs/cgroup'
/** Where these tests look, which may be hidden from the library (test/hidden/run). */
const proc = process.env.HOLDFAST_TEST_PROC ?? '/proc'

/**
 * The processes that belong to a task, its shim included: by environment, cgroup, open files or mounts.
 * Zombies are dead.
 */
export function processesOf(key: string): number[] {
  return processesOfAny([key])
}

/** Processes of the task's own, without the shim (which alone holds files of the task directory open). */
export function taskProcesses(key: string): number[] {
  return processesOf(key).filter(pid => !openFiles(pid).includes(`/tasks/${key}/`))
}

function cgroupsIn(parent: string, suffix: string): string[] {
  try {
    return readdirSync(parent)
      .filter(name => name.endsWith(suffix))
      .map(name => join(parent, name))
  } catch {
    // The whole scope is gone.
    return []
  }
}

export function cgroupsOf(key: string): string[] {
  if (!existsSync(cgroupRoot)) return []
  const hierarchies = [cgroupRoot, ...readdirSync(cgroupRoot).map(name => join(cgroupRoot, name))]
  const parents = hierarchies.map(at => join(at, 'holdfast'))
  // Those of exec sessions are below their task's.
  const places = [...parents, ...parents.flatMap(parent => cgroupsIn(parent, ''))]
  const plain = places.map(at => join(at, key)).filter(path => existsSync(path))
  const scoped = existingParents(detectCgroups()).flatMap(parent => cgroupsIn(parent, `.${key}`))
  return [...plain, ...scoped]
}

/** After destroy(): no process, no cgroup, no mount, and with `stateDir` no file (and so no FIFO). */
export function assertNothingLeft(key: string, stateDir?: string): void {
  assertNoneLeft([key])
  if (stateDir === undefined) return
  const files = ['tasks', 'allocs'].map(name => join(stateDir, name, key)).filter(path => existsSync(path))
  assert.deepEqual(files, [], `files of ${key} are left`)
}

/**
 * After its result. That is told when its record is in place, and of all processes only the shim may be there
 * still: it has nothing left to do but to exit.
 */
export async function assertNoProcessLeft(task: Executor): Promise<void> {
  const start = readStart(directoryOf(task))
  const shim = start !== null && 'shim' in start ? start.shim.pid : null
  const others = processesOf(keyOf(task)).filter(pid => pid !== shim)
  assert.deepEqual(others.map(describeProcess), [], 'processes are left')
  const left = await stillThere([keyOf(task)])
  assert.deepEqual(left.map(describeProcess), [], 'the shim is left')
}

/**
 * The same for many, and with patience for a shim that has said its last word and is about to exit, or is so
 * late that it finds its task gone. One look decides: a late one may come between two.
 */
export async function untilNoneLeft(keys: readonly string[]): Promise<void> {
  assertNoneLeft(keys, await stillThere(keys))
}

/** The processes that are there after ten seconds; none as soon as there is none. */
async function stillThere(keys: readonly string[]): Promise<number[]> {
  let left = processesOfAny(keys)
  for (let tries = 0; tries < 1000 && left.length > 0; tries++) {
    await sleep(10)
    left = processesOfAny(keys)
  }
  return left
}

function assertNoneLeft(keys: readonly string[], processes = processesOfAny(keys)): void {
  assert.deepEqual(processes.map(describeProcess), [], 'processes are left')
  assert.deepEqual(keys.flatMap(cgroupsOf), [], 'cgroups are left')
  const mounts = readText(`${proc}/self/mountinfo`).split('\n')
  assert.deepEqual(
    mounts.filter(line => mentionsAny(line, keys)),
    [],
    'mounts are left',
  )
}

function processesOfAny(keys: readonly string[]): number[] {
  const foreign = foreignProcesses(keys)
  if (foreign !== null) return foreign
  if (!existsSync(`${proc}/self`) || keys.length === 0) return []
  return statOfAll(proc)
    .filter(stat => isLiving(stat, proc) && stat.pid !== process.pid)
    .map(({ pid }) => pid)
    .filter(pid => mentionsAny(traces(pid), keys))
}

function mentionsAny(text: string, keys: readonly string[]): boolean {
  return keys.some(key => text.includes(key))
}

function traces(pid: number): string {
  const texts = ['environ', 'cgroup', 'mountinfo'].map(file => readText(`${proc}/${pid}/${file}`))
  return [...texts, openFiles(pid)].join('\n')
}

function openFiles(pid: number): string {
  try {
    return (
      readdirSync(`${proc}/${pid}/fd`)
        .map(fd => linkOf(`${proc}/${pid}/fd/${fd}`))
        // The portable shim's pipes, which have lost their names, are the task's.
        .filter(target => !target.endsWith('.tmp (deleted)'))
        .join('\n')
    )
  } catch {
    return ''
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function describeProcess(pid: number): string {
  const state = /^(?:State|PPid|ShdPnd):.*/gm
  const facts = readText(`${proc}/${pid}/status`).match(state)?.join(' ').replaceAll('\t', ' ') ?? 'gone'
  return `${pid} ${readText(`${proc}/${pid}/cmdline`).replaceAll('\0', ' ')}(${facts})`
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
