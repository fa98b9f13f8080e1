/*
 * Keeps a server up, started again later and later when it fails at once. When this program is killed the
 * server goes on, and the next one has it: `npx tsx examples/keep-up.ts /var/lib/web node /srv/web.js`.
 */
import { firstValueFrom, fromEvent, from, timer } from 'rxjs'
import { Supervisor } from '../src/index.ts' // in your own program: from 'holdfast'

const [home = '/var/lib/server', name = 'false', ...args] = process.argv.slice(2)
const supervisor = new Supervisor({ stateDir: home, keep: { count: 10 } })
await supervisor.openAll()
fromEvent(process, 'SIGTERM').subscribe(() => from(supervisor.shutdown()).subscribe(() => process.exit()))
for (let pause = 100; ; pause = Math.min(pause * 2, 30_000)) {
  const server = supervisor.find(({ state }) => state !== 'exited') ?? supervisor.command(name, ...args)
  if (server.state === 'configured') await server.start().catch(() => {}) // how it failed is in its result
  console.log(`${name} [${server.key}] is ${server.state}`)
  const { startedAt, exitedAt, cause, exitCode } = await server.wait()
  if (Number(exitedAt) - Number(startedAt) > 10_000) pause = 100
  console.log(`${name}: ${cause}, exit code ${exitCode}; again in ${pause} ms`)
  await firstValueFrom(timer(pause))
}
