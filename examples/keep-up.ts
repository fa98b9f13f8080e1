/*
 * Keeps a server up: started again whenever it ends, later and later when it fails at once. `npx tsx
 * examples/keep-up.ts sh -c 'sleep 1; exit 1'`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Supervisor } from '../src/index.ts' // in your own program: from 'holdfast'

const [name = 'false', ...args] = process.argv.slice(2)
const supervisor = new Supervisor({ keep: { count: 10 } })
process.once('SIGTERM', () => {
  supervisor.shutdown().then(
    () => process.exit(),
    () => process.exit(1),
  )
})

for (let pause = 100; ; pause = Math.min(pause * 2, 30_000)) {
  const server = supervisor.command(name, ...args)
  const began = Date.now()
  await server.start()
  const { cause, exitCode } = await server.wait()
  if (Date.now() - began > 10_000) pause = 50
  console.log(`${name}: ${cause}, exit code ${exitCode}; again in ${pause} ms`)
  await sleep(pause)
}
