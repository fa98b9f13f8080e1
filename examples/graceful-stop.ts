/*
 * A program that ignores SIGTERM: asked first, killed when its grace time is over. Run it with `npx tsx
 * examples/graceful-stop.ts`. The cause says which it was: `shutdown` had it ended by itself, `forced` here.
 */
import { command } from '../src/index.ts' // in your own program: from 'holdfast'

const task = command('sh', '-c', 'trap "echo no, I stay" TERM; echo ready; while :; do sleep 0.1; done')
await task.start()

// A signal that comes before the trap is set would simply end it.
await new Promise<void>(resolve => {
  task.logs$('stdout', { follow: true }).subscribe(chunk => {
    process.stdout.write(chunk)
    resolve()
  })
})

const { signal, cause } = await task.shutdown({ signal: 'SIGTERM', graceMs: 2000 })
console.log(`signal ${signal}, cause ${cause}`)

await task.destroy()
