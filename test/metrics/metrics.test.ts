import { strict as assert } from 'node:assert'
import parsePrometheusTextFormat from 'parse-prometheus-text-format'
import { Registry } from 'prom-client'
import { metrics } from '../../src/metrics/index.ts'
import { CpuAccount } from '../../src/metrics/cpu-account.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'

type Family = ReturnType<typeof parsePrometheusTextFormat>[number]

describe('metrics', () => {
  it('count what the tasks of a supervisor do, in the format Prometheus reads', () =>
    withWorkbench('basic', async bench => {
      const meter = metrics({ supervisor: bench.supervisor })
      const failing = bench.command('/nonexistent/program')
      await assert.rejects(failing.start())
      const ended = bench.shell('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done')
      await ended.start()
      await ended.wait()
      const running = bench.command('sleep', '1000')
      await running.start()

      const families = await scrape(meter.text())
      assert.equal(meter.contentType, 'text/plain; version=0.0.4; charset=utf-8')
      assert.equal(value(families, 'holdfast_task_starts_total'), 2)
      assert.equal(value(families, 'holdfast_task_exits_total', { cause: 'startFailed' }), 1)
      assert.equal(value(families, 'holdfast_task_exits_total', { cause: 'exited' }), 1)
      assert.equal(value(families, 'holdfast_task_exits_total', { cause: 'oom' }), 0)
      assert.equal(value(families, 'holdfast_tasks', { state: 'running' }), 1)
      assert.equal(value(families, 'holdfast_tasks', { state: 'exited' }), 2)
      assert.ok(value(families, 'holdfast_task_memory_bytes') > 0)
      assert.ok(value(families, 'holdfast_task_cpu_seconds_total') > 0)
      assert.equal(value(families, 'holdfast_spawner_restarts_total'), 0)
      const latency = families.get('holdfast_task_start_duration_seconds')?.metrics[0] as { count: string }
      assert.equal(Number(latency.count), 2)

      await running.forceStop()
      const later = await scrape(meter.text())
      assert.equal(value(later, 'holdfast_task_exits_total', { cause: 'forced' }), 1)
      assert.equal(value(later, 'holdfast_task_memory_bytes'), 0)
      meter.close()
    }))

  it('keep to the conventions: names, units, types, and no label that grows with the tasks', () =>
    withWorkbench('basic', async bench => {
      const meter = metrics({ supervisor: bench.supervisor })
      const tasks = [1, 2, 3].map(() => bench.shell('exit 0'))
      const before = seriesOf(await meter.text())
      await Promise.all(tasks.map(task => task.start()))
      await Promise.all(tasks.map(task => task.wait()))
      const text = await meter.text()
      assert.deepEqual(seriesOf(text), before)
      for (const { name, help, type } of parsePrometheusTextFormat(text)) {
        assert.match(name, /^holdfast_[a-z_]+$/)
        assert.match(help, /\.$/)
        assert.equal(name.endsWith('_total'), type === 'COUNTER', name)
        if (type === 'HISTOGRAM') assert.match(name, /_seconds$/)
      }
      for (const task of tasks) assert.doesNotMatch(text, new RegExp(task.key))
      meter.close()
    }))

  it('count an end once, whoever takes the task over', () =>
    withWorkbench('basic', async bench => {
      const task = bench.command('sleep', '1000')
      await task.start()
      await bench.supervisor.close()
      const second = bench.another()
      const meter = metrics({ supervisor: second })
      await second.openAll()
      await second.tasks.get(task.key)?.forceStop()
      assert.equal(value(await scrape(meter.text()), 'holdfast_task_exits_total', { cause: 'forced' }), 1)
      await second.close()
      const third = bench.another()
      const again = metrics({ supervisor: third })
      await third.openAll()
      const families = await scrape(again.text())
      assert.equal(value(families, 'holdfast_task_exits_total', { cause: 'forced' }), 0)
      assert.equal(value(families, 'holdfast_task_starts_total'), 0)
      assert.equal(value(families, 'holdfast_tasks', { state: 'exited' }), 1)
    }))

  it('tell an OOM kill', function () {
    requires(this, 'root', 'linux', 'native')
    return withWorkbench('linux', async bench => {
      const meter = metrics({ supervisor: bench.supervisor })
      const hog = bench.shell('x=aaaaaaaa; while :; do x=$x$x; done')
      await hog.limit({ memoryMB: 16 })
      await hog.start()
      const { oomKilled } = await hog.wait()
      // Where the kernel has no memory controller there is nothing to tell.
      assert.equal(value(await scrape(meter.text()), 'holdfast_task_oom_kills_total'), oomKilled ? 1 : 0)
    })
  })

  it("register beside a program's own, and go again", () =>
    withWorkbench('basic', async bench => {
      const register = new Registry()
      const meter = metrics({ supervisor: bench.supervisor, register })
      assert.match(await register.metrics(), /holdfast_tasks/)
      meter.close()
      assert.equal((await register.metrics()).trim(), '')
    }))
})

describe('the account of CPU time', () => {
  it('never goes down: not when a task ends with less, nor when it is removed', () => {
    const account = new CpuAccount()
    account.sampled('a', 3000)
    account.sampled('b', 1000)
    account.ended('a', { cpuUserMs: 1000, cpuSystemMs: 500 })
    account.ended('a', { cpuUserMs: 9000, cpuSystemMs: 0 })
    account.sampled('a', 5000)
    assert.equal(account.seconds, 4)
    account.keepOnly(new Map())
    assert.equal(account.seconds, 4)
    account.ended('c', { cpuUserMs: 1500, cpuSystemMs: 500 })
    assert.equal(account.seconds, 6)
  })
})

async function scrape(text: Promise<string>): Promise<Map<string, Family>> {
  return new Map(parsePrometheusTextFormat(await text).map(family => [family.name, family]))
}

function value(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number {
  const samples = (families.get(name)?.metrics ?? []) as { value: string; labels?: Record<string, string> }[]
  const found = samples.find(sample =>
    Object.entries(labels).every(([label, text]) => sample.labels?.[label] === text),
  )
  assert.ok(found, `${name} ${JSON.stringify(labels)}`)
  return Number(found.value)
}

function seriesOf(text: string): string[] {
  return text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.replace(/ [^ ]+$/, ''))
}
