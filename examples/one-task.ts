/*
 * One task: started, waited for, its result printed. Run it with `npx tsx examples/one-task.ts`.
 * As root on Linux the program runs as nobody, in its own root, within its limits; anywhere else it just
 * runs.
 */
import { command } from '../src/index.ts' // in your own program: from 'holdfast'

const task = command('sh', '-c', 'echo "hello from $(id -un)"')
await task.limit({ memoryMB: 64, pids: 16, wallTimeMs: 30_000 })
await task.start()

await task.logs$('stdout', { follow: true }).forEach(chunk => {
  process.stdout.write(chunk)
})

const { exitCode, signal, cause, usage } = await task.wait()
console.log(`exit code ${exitCode}, signal ${signal}, cause ${cause}`)
if (usage !== null) console.log(`used ${usage.maxRssBytes} bytes of memory at most`)
for (const { name, requested, status, reason } of task.enforcement) {
  console.log(`${status}: ${name} ${requested}${reason === null ? '' : ` (${reason})`}`)
}

await task.destroy()
