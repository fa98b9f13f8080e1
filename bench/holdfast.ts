import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Resources, SupervisorOptions } from '../src/index.ts'
import type { Contender } from './contender.ts'
import { Supervisor, setCommand } from './library.ts'

type Way = {
  readonly platform: 'basic' | 'linux'
  readonly durability: NonNullable<SupervisorOptions['durability']>
  readonly limits?: Resources
  /** Count the removal of the task's records, directory and cgroups too. */
  readonly destroyed?: boolean
}

/** Both are counted as users get them: one supervisor, everything by default but what is named. */
export function holdfast(name: string, does: string, way: Way, stateRoot: string): Contender {
  const stateDir = mkdtempSync(join(stateRoot, 'holdfast-bench-'))
  const supervisor = new Supervisor({ stateDir, durability: way.durability })
  return {
    name,
    version: null,
    does,
    async run() {
      const task = supervisor.executor(way.platform)
      setCommand(task, '/bin/true', [])
      if (way.limits !== undefined) await task.limit(way.limits)
      await task.start()
      const result = await task.wait()
      if (!result.successful || result.evidence !== 'record')
        throw new Error(`${name}: ${JSON.stringify(result)}`)
      if (way.destroyed) await task.destroy()
      return () => task.destroy()
    },
    async close() {
      await supervisor.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

/** What the library offers, from the least to the most. Without root on Linux only Basic can run. */
export function holdfastContenders(stateRoot: string): Contender[] {
  const limits = { memoryMB: 64, pids: 32 }
  const make = (name: string, does: string, way: Way) => holdfast(name, does, way, stateRoot)
  const basic = [
    make('holdfast basic', 'recorded; not isolated', { platform: 'basic', durability: 'host' }),
    make('holdfast basic, process', 'the same, record not flushed', {
      platform: 'basic',
      durability: 'process',
    }),
  ]
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return basic
  return [
    ...basic,
    make(isolated, 'isolated and recorded, all by default', { platform: 'linux', durability: 'host' }),
    make('holdfast isolated, process', 'the same, record not flushed', {
      platform: 'linux',
      durability: 'process',
    }),
    make('holdfast limited', 'isolated, memory and pids limits', {
      platform: 'linux',
      durability: 'host',
      limits,
    }),
    make('holdfast limited, process', 'the same, record not flushed', {
      platform: 'linux',
      durability: 'process',
      limits,
    }),
    make('holdfast isolated, removed', 'isolated, and destroy() counted too', {
      platform: 'linux',
      durability: 'host',
      destroyed: true,
    }),
  ]
}

export const isolated = 'holdfast isolated'
