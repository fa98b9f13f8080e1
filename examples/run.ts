/*
 * One call: a program, its result and its output. Run it with `npx tsx examples/run.ts`.
 */
import { run } from '../src/index.ts' // in your own program: from 'holdfast'

const { stdout, cause, exitCode } = await run('sh', ['-c', 'echo "I am $(id -un)"; exit 3'], {
  limits: { memoryMB: 64, pids: 32 },
})
console.log(stdout.trim(), cause, exitCode)

// The lines of both streams while it runs; it is stopped when the signal is aborted.
const task = run('sh', ['-c', 'echo one; echo two >&2'], { signal: AbortSignal.timeout(30_000) })
for await (const { stream, line } of task) console.log(stream, line)
console.log((await task).successful)
