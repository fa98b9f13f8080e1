import { strict as assert } from 'node:assert'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ServiceError } from '@grpc/grpc-js'
import { checkJob } from '../../src/nomad/check/index.ts'
import { readJobFile } from '../../src/nomad/check/job-file.ts'
import { TaskView } from '../../src/nomad/check/task-view.ts'
import type { Message } from '../../src/nomad/wire/codec.ts'
import { jobFile, jobsDirectory } from './support/job-files.ts'
import { driverBench } from './support/driver-bench.ts'
import { until } from './support/until.ts'

/** What they say. */
const outputs: Readonly<Record<string, string | RegExp>> = {
  'report/build': '--out /alloc/data\n',
  'cleanup/sweep': 'swept\n',
  'app/app': 'a = 1\n',
  'web/server': /^listening at 8080\n$/,
  'inventory/inventory': /^Linux /,
  'placed/placed': 'placed on 0\n',
  'staged/migrate': '',
  'staged/proxy': /^up\n$/,
  'staged/main': 'main\n',
  'staged/notify': 'done\n',
  'chatty/chatty': /^1\n[^]*100\n$/,
  'mailer/mailer': 'outgoing in /local as nobody\n',
  'encode/encode': 'Cpus_allowed_list:\t0\n',
  'import/import': 'imported\n',
  'transcode/transcode': '{}\nas fast\n',
  'billing/billing': '3\n',
  'desk/desk': /^up\n$/,
}
/** Of root's group under exec: a template of its job is for that group. Here the file is everybody's. */
const differing: ReadonlySet<string> = new Set(['app/app'])
const untilStopped: ReadonlySet<string> = new Set(['web/server', 'staged/proxy', 'desk/desk'])
/** What the client would have put there. */
const files: Readonly<Record<string, string>> = {
  'local/report/build': '#!/bin/sh\necho "$@"\n',
  'local/app.ini': 'a = 1\n',
  'local/input.json': '{}\n',
  'secrets/nomad_billing.jwt': 'abc',
}
const environment: Readonly<Record<string, string>> = {
  ...{ NOMAD_ALLOC_DIR: '/alloc', NOMAD_TASK_DIR: '/local', NOMAD_SECRETS_DIR: '/secrets' },
  ...{ NOMAD_ALLOC_INDEX: '0', NOMAD_PORT_http: '8080', NOMAD_META_profile: 'fast', NOMAD_META_team: 'post' },
}

/** Job files of the usual kinds, with nothing but the driver changed. */
describe('the tasks of job files that were written for exec', function () {
  this.timeout(120_000)
  const bench = driverBench('nomad-jobs', {})

  beforeEach(() => {
    for (const [path, text] of Object.entries(files)) put(path, text)
  })

  const views = readdirSync(jobsDirectory).flatMap(file => {
    const { tasks, scope } = readJobFile(file, jobFile(file).text)
    const reports = checkJob(jobFile(file)).tasks
    return tasks.map((task, index) => ({ view: new TaskView(task, scope), report: reports[index] }))
  })
  const ofExec = views.filter(({ report }) => report?.driver === 'exec')

  for (const { view, report } of ofExec) {
    const name = `${view.task.group}/${view.task.name}`
    const said = outputs[name]
    if (said !== undefined)
      it(`${name} runs as it does there`, async () => {
        assert.equal(report?.verdict, differing.has(name) ? 'differs' : 'same')
        const task = taskOf(view)
        await bench.start(task)
        let logged = ''
        if (untilStopped.has(name)) {
          await until('it is up', () => (logged += bench.allocation.logged()) !== '')
          await stop(task.id, view)
        }
        const { result } = await bench.driver('WaitTask', { task_id: task.id })
        logged += bench.allocation.logged()
        assert.deepEqual([(result as Message).exit_code, bench.allocation.logged('stderr')], [0, ''], logged)
        if (said instanceof RegExp) assert.match(logged, said)
        else assert.equal(logged, said)
      })
    if (report?.verdict === 'refused')
      it(`${name} is refused in the words of the check`, async () => {
        for (const { body } of view.blocks('template')) put(view.text(body, 'destination') ?? '', 'a = 1')
        const foretold = report.options.filter(({ verdict }) => verdict === 'refused')
        await assert.rejects(bench.driver('StartTask', { task: taskOf(view) }), ({ details }: ServiceError) =>
          foretold.some(({ why }) => why !== null && details.includes(why)),
        )
      })
  }

  it('are all of those whose programs there are here', () => {
    const names = ofExec.map(({ view }) => `${view.task.group}/${view.task.name}`)
    assert.deepEqual(
      Object.keys(outputs).filter(name => !names.includes(name)),
      [],
    )
    assert.ok(ofExec.some(({ report }) => report?.verdict === 'refused'))
  })

  /** Into the task's directory. */
  function put(path: string, text: string): void {
    const file = join(bench.allocation.dir, 't', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  /** As the client hands it on: what is in `${}` is put in. */
  function taskOf(view: TaskView) {
    const { task } = view
    const config = Object.fromEntries(Array.from(view.config, ([name, { value }]) => [name, filledIn(value)]))
    const own = view.blocks('env')[0]?.body.attributes.keys() ?? []
    const body = view.blocks('env')[0]?.body
    const env = Object.fromEntries(
      Array.from(own, name => [name, String(body && view.attribute(body, name)?.value)]),
    )
    const mounts = view.blocks('volume_mount').map(({ body: volume }) => ({
      task_path: view.text(volume, 'destination'),
      host_path: bench.directory,
      propagation_mode: view.text(volume, 'propagation_mode') ?? 'private',
    }))
    const cores = view.blocks('resources').some(({ body: asked }) => asked.attributes.has('cores'))
    const resources = {
      allocated_resources: { memory: { memory_mb: 64, memory_max_mb: 0 } },
      linux_resources: { cpu_shares: 100, PercentTicks: 0.1, cpuset_cpus: cores ? '0' : '' },
    }
    return bench.allocation.task(config, {
      env: { ...environment, ...env },
      user: view.text(task.body, 'user') ?? '',
      mounts,
      resources,
    })
  }

  function filledIn(value: unknown): unknown {
    if (typeof value === 'string')
      return value.replace(/\$\{(NOMAD_\w+)\}/g, (all, name: string) => environment[name] ?? all)
    return Array.isArray(value) ? value.map(filledIn) : value
  }

  async function stop(id: string, view: TaskView): Promise<void> {
    const signal = view.text(view.task.body, 'kill_signal') ?? ''
    await bench.driver('StopTask', { task_id: id, timeout: { seconds: 20, nanos: 0 }, signal })
  }
})
