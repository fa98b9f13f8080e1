/*
 * Ten tasks under one supervisor, and one stream that tells what happens to any of them. Run it with `npx tsx
 * examples/ten-tasks.ts`. Each ends with an exit code of its own; a task that exits 3 is a result, not an
 * error.
 */
import { map, merge, take } from 'rxjs'
import { Supervisor } from '../src/index.ts' // in your own program: from 'holdfast'

const count = 10
const supervisor = new Supervisor({ strict: false })

const transitions = supervisor.transitions$.pipe(map(({ task, from, to }) => `${task.key}: ${from} -> ${to}`))
const results = supervisor.results$.pipe(
  take(count),
  map(({ task, exitCode, cause }) => `${task.key}: ${cause}, exit code ${exitCode}`),
)
merge(transitions, results).subscribe(line => console.log(line))

const tasks = Array.from({ length: count }, (_, number) => supervisor.command('sh', '-c', `exit ${number}`))
await Promise.all(tasks.map(task => task.start()))

const ends = await Promise.all(tasks.map(task => task.wait()))
console.log(`sum of the exit codes: ${ends.reduce((sum, { exitCode }) => sum + (exitCode ?? 0), 0)}`)

await Promise.all(tasks.map(task => task.destroy()))
await supervisor.close()
