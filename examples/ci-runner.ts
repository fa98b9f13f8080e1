/*
 * A CI runner that may be killed at any moment. Run again, it goes on where it was, and no step runs twice:
 * `npx tsx examples/ci-runner.ts /var/lib/ci/job-7`.
 */
import { join } from 'node:path'
import { AllocDir, type Executor, Supervisor } from '../src/index.ts' // in your own program: from 'holdfast'

const steps = [
  { name: 'build', script: 'echo building; sleep 1; echo "echo built" > /alloc/data/program' },
  { name: 'test', script: 'echo testing; sleep 1; sh /alloc/data/program' },
  { name: 'report', script: 'echo all is well' },
]

const job = process.argv[2] ?? '/var/lib/ci/job'
const alloc = new AllocDir(join(job, 'files'))
await alloc.build(steps.map(({ name }) => name))
const supervisor = new Supervisor({ stateDir: join(job, 'state') })
await supervisor.openAll()

for (const { name, script } of steps) {
  const step = (await held(name)) ?? (await started(name, script))
  for await (const { bytes } of step.output$({ follow: true })) process.stdout.write(bytes)
  const { exitCode, cause, successful } = await step.wait()
  console.log(`${name}: ${cause}, exit code ${exitCode}`)
  if (successful) continue
  process.exitCode = 1
  break
}
await supervisor.prune()
await alloc.destroy()
await supervisor.close()

/**
 * The step as an earlier run of this program has left it. One that was never started, or whose end nobody
 * knows, is run again.
 */
async function held(name: string): Promise<Executor | undefined> {
  const step = supervisor.find(name)
  if (step === undefined || step.state !== 'exited' || (await step.wait()).cause !== 'lost') return step
  await step.destroy()
}

async function started(name: string, script: string): Promise<Executor> {
  const step = supervisor.command('sh', '-c', script)
  await step.limit({ memoryMB: 256, pids: 128, wallTimeMs: 600_000 })
  await step.configureTaskDir(name, alloc)
  await step.start()
  return step
}
