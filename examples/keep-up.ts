/*
 * Keeps a server up: started again whenever it ends, later and later when it fails at once. When this program
 * is killed the server goes on, and the next one has it: `npx tsx examples/keep-up.ts /var/lib/web sh -c
 * 'sleep 1; exit 1'`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Supervisor } from '../src/index.ts' // in your own program: from 'holdfast'

const [home = '/var/lib/server', name = 'false', ...args] = process.argv.slice(2)
const supervisor = new Supervisor({ stateDir: home, keep: { count: 10 } })
const exit = (error?: unknown): void => process.exit(error instanceof Error ? 1 : 0)
process.once('SIGTERM', () => {
  supervisor.shutdown().then(exit, exit)
})
await supervisor.openAll()
let server = [...supervisor.tasks.values()].find(({ state }) => state !== 'exited')

for (let pause = 100; ; pause = Math.min(pause * 2, 30_000)) {
  const began = Date.now()
  server ??= supervisor.command(name, ...args)
  if (server.state === 'configured') await server.start().catch(() => {}) // how it failed is in its result
  console.log(`${name} [${server.key}] is ${server.state}`)
  const { cause, exitCode } = await server.wait()
  if (Date.now() - began > 10_000) pause = 100
  console.log(`${name}: ${cause}, exit code ${exitCode}; again in ${pause} ms`)
  server = await sleep(pause, undefined)
}
