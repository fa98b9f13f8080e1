import { execFileSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { from, lastValueFrom, mergeMap, range } from 'rxjs'
import { Supervisor } from './library.ts'
import { timed } from './way.ts'

export type RetentionRow = {
  readonly name: string
  readonly tasks: number
  /** Files and directories of an ended task that is kept. */
  readonly entries: number
  /** What they take of the disk, per task. */
  readonly kib: number
  /** Until a supervisor that knows of none has found and removed all of them. */
  readonly pruneMs: number
  /** To `rm -r` of a copy of them. */
  readonly ratio: number
}

const atOnce = 32

/** What ended tasks cost that are kept, and what it takes to remove all. */
export async function measureRetention(
  stateRoot: string,
  tasks: number,
  progress: (text: string) => void,
): Promise<RetentionRow[]> {
  const dir = mkdtempSync(join(stateRoot, 'holdfast-bench-'))
  const [stateDir, copy] = [join(dir, 'state'), join(dir, 'copy')]
  try {
    progress(`${tasks} tasks that end and are kept`)
    await endAndKeep(stateDir, tasks)
    const before = sizeOf(stateDir)
    execFileSync('cp', ['-a', stateDir, copy])
    const bareMs = await timed(() => execFileSync('rm', ['-r', copy]))
    const supervisor = new Supervisor({ stateDir })
    const pruneMs = await timed(async () => {
      const removed = await supervisor.prune()
      if (removed.length !== tasks) throw new Error(`${removed.length} of ${tasks} tasks were removed`)
    })
    await supervisor.close()
    const after = sizeOf(stateDir)
    const row = {
      entries: (before.entries - after.entries) / tasks,
      kib: (before.bytes - after.bytes) / 1024 / tasks,
    }
    return [{ name: 'kept as they ended', tasks, ...row, pruneMs, ratio: pruneMs / bareMs }]
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function endAndKeep(stateDir: string, tasks: number): Promise<void> {
  const supervisor = new Supervisor({ stateDir, durability: 'process' })
  const one = async (): Promise<void> => {
    const task = supervisor.command('/bin/sh', '-c', 'echo out; echo err >&2')
    await task.start()
    await task.wait()
  }
  await lastValueFrom(range(tasks).pipe(mergeMap(() => from(one()), atOnce)))
  await supervisor.close()
}

function sizeOf(path: string): { entries: number; bytes: number } {
  const status = lstatSync(path)
  const total = { entries: 1, bytes: status.blocks * 512 }
  if (!status.isDirectory()) return total
  for (const name of readdirSync(path)) {
    const { entries, bytes } = sizeOf(join(path, name))
    total.entries += entries
    total.bytes += bytes
  }
  return total
}
