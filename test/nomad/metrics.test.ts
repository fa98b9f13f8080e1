import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Message } from '../../src/nomad/wire/codec.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { Allocation } from './support/allocation.ts'
import { PluginHost } from './support/plugin-host.ts'
import { until } from './support/until.ts'

const mebibyte = 1024 * 1024
/** Memory that the load has for certain, and files. */
const [held, written] = [12 * mebibyte, 6 * mebibyte]

/**
 * The same load by the formulae of Nomad's `exec` (drivers/shared/executor/executor_linux_cgo.go,
 * handleStats; github.com/opencontainers/cgroups, fs and fs2), applied by us to the task's own cgroups.
 */
class ByExec {
  readonly #at: (controller: string, file: string) => string

  constructor(pid: number) {
    const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trimEnd().split('\n')
    const paths = lines.map(line => /^\d+:([^:]*):(.*)$/.exec(line)?.slice(1) ?? [])
    this.#at = (controller, file) => {
      const [, path = '/'] = paths.find(([names]) => names?.split(',').includes(controller)) ?? []
      return path === '/'
        ? join('/sys/fs/cgroup', paths.find(([names]) => names === '')?.[1] ?? '', file)
        : join('/sys/fs/cgroup', controller, path, file)
    }
  }

  #number(controller: string, file: string): number {
    return Number(readFileSync(this.#at(controller, file), 'utf8'))
  }

  #field(controller: string, file: string, name: string): number | null {
    const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync(this.#at(controller, file), 'utf8'))
    return found === null ? null : Number(found[1])
  }

  get isV1(): boolean {
    return this.#field('memory', 'memory.stat', 'rss') !== null
  }

  memory(): Readonly<Record<'rss' | 'cache' | 'usage', number>> {
    const stat = (v1: string, v2: string) =>
      this.#field('memory', 'memory.stat', v1) ?? this.#field('memory', 'memory.stat', v2) ?? 0
    return {
      rss: stat('rss', 'anon'),
      cache: stat('cache', 'file'),
      usage: this.#number('memory', this.isV1 ? 'memory.usage_in_bytes' : 'memory.current'),
    }
  }

  /** Milliseconds. */
  cpu(): { readonly all: number; readonly user: number; readonly system: number } {
    if (!this.isV1) {
      const [all = 0, user = 0, system = 0] = ['usage', 'user', 'system'].map(
        name => (this.#field('cpu', 'cpu.stat', `${name}_usec`) ?? 0) / 1000,
      )
      return { all, user, system }
    }
    const ticks = (name: string) => (this.#field('cpuacct', 'cpuacct.stat', name) ?? 0) * 10
    const all = this.#number('cpuacct', 'cpuacct.usage') / 1e6
    return { all, user: ticks('user'), system: ticks('system') }
  }
}

describe('the metrics of a task, beside what the exec driver makes of the same cgroups', function () {
  this.timeout(60_000)
  let directory: string
  let host: PluginHost
  before(async function () {
    requires(this, 'root', 'linux', 'native', 'own-cgroup')
    directory = temporaryDirectory('nomad-metrics')
    host = await PluginHost.launch()
    await host.configure({ state_dir: join(directory, 'state') })
  })
  after(async () => {
    await host?.kill()
    if (directory) removeTemporary(directory)
  })

  it('have the same memory, the same processor time, and ticks of 2000 MHz a core', async () => {
    const allocation = new Allocation(directory)
    const task = allocation.shell(
      `head -c ${written} /dev/zero > /local/file; x=$(head -c ${held} /dev/zero | tr '\\0' x); ` +
        'echo ready; while :; do read line < /etc/passwd; done',
    )
    try {
      await host.client.driver('StartTask', { task })
      await until('the load is there', () => allocation.logged().includes('ready'))
      const { driver } = await host.client.driver('InspectTask', { task_id: task.id })
      const { holdfast_task: key = '' } = (driver as { attributes: Record<string, string> }).attributes
      const start = readFileSync(join(directory, 'state/tasks', key, 'start.json'), 'utf8')
      const byExec = new ByExec((JSON.parse(start) as { task: { pid: number } }).task.pid)
      const { first, last, seen } = await compared(task.id, byExec)

      const { memory, cpu } = last.usage
      for (const [name, expected] of Object.entries(byExec.memory()))
        assert.ok(
          Math.abs(Number(memory[name]) - expected) <= mebibyte,
          `${name}: ${Number(memory[name])}, ${expected}`,
        )
      assert.ok(Number(memory.rss) >= held && Number(memory.cache) >= written)
      assert.equal(memory.swap, 0)
      const measured = (fields: unknown) => [...(fields as number[])].sort()
      // RSS, cache, (greatest usage, kernel,) usage, swap: what `exec` says is measured, and more.
      for (const field of byExec.isV1 ? [0, 1, 2, 3, 5, 6] : [0, 1, 5, 6])
        assert.ok(measured(memory.measured_fields).includes(field), `memory field ${field}`)
      for (const field of [0, 1, 3, 4, 5]) assert.ok(measured(cpu.measured_fields).includes(field))

      const elapsed = last.at - first.at
      for (const [name, field] of [
        ['percent', 'all'],
        ['user_mode', 'user'],
        ['system_mode', 'system'],
      ] as const) {
        const expected = ((last.cpu[field] - first.cpu[field]) / elapsed) * 100
        const shown = seen.reduce((sum, usage) => sum + Number(usage.cpu[name]), 0) / seen.length
        assert.ok(Math.abs(shown - expected) <= 5 + expected / 4, `${name}: ${shown}, ${expected}`)
      }
      assert.ok(Math.abs(Number(cpu.total_ticks) - (Number(cpu.percent) / 100) * 2000) < 1e-6)
    } finally {
      await host.client.driver('DestroyTask', { task_id: task.id, force: true })
      allocation.close()
    }
  })

  type Shown = { readonly memory: Record<string, unknown>; readonly cpu: Record<string, unknown> }
  type Moment = { readonly at: number; readonly cpu: ReturnType<ByExec['cpu']>; readonly usage: Shown }

  /** A first sample, and four after it, with what the cgroups say when each has come. */
  async function compared(id: string, byExec: ByExec) {
    const moments: Moment[] = []
    const stream = host.client.stream('TaskStats', {
      task_id: id,
      collection_interval: { seconds: 0, nanos: 500_000_000 },
    })
    stream.on('data', ({ stats }: Message) => {
      const usage = (stats as Message).agg_resource_usage as Shown
      moments.push({ at: performance.now(), cpu: byExec.cpu(), usage })
    })
    // The very first has nothing before it to compare itself with.
    await until('there are samples', () => moments.length >= 6)
    stream.cancel()
    const [first, last] = [moments[1], moments[5]]
    assert.ok(first && last)
    return { first, last, seen: moments.slice(2, 6).map(({ usage }) => usage) }
  }
})
