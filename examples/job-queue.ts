/*
 * A queue of jobs in SQLite, two at a time. What runs when this program is killed is taken over by the next:
 * `npx tsx examples/job-queue.ts /var/lib/queue`, and to add a job: `npx tsx examples/job-queue.ts
 * /var/lib/queue 'echo hello'`.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { from, lastValueFrom, mergeMap } from 'rxjs'
import { Supervisor } from '../src/index.ts' // in your own program: from 'holdfast'

type Job = { id: number; script: string }

const [home = '/var/lib/queue', script] = process.argv.slice(2)
mkdirSync(home, { recursive: true, mode: 0o700 })
const db = new Database(join(home, 'jobs.db'))
db.exec('CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, script TEXT, result TEXT)')
if (script === undefined) await work()
else db.prepare('INSERT INTO jobs (script) VALUES (?)').run(script)
db.close()

async function work(): Promise<void> {
  const supervisor = new Supervisor({ stateDir: join(home, 'state'), defaults: { memoryMB: 128, pids: 64 } })
  await supervisor.openAll()
  const jobs = db.prepare('SELECT id, script FROM jobs WHERE result IS NULL ORDER BY id').all() as Job[]
  const perform = async (job: Job): Promise<void> => {
    const task = supervisor.find(`job-${job.id}`) ?? supervisor.command('sh', '-c', job.script)
    if (task.state === 'configured') {
      task.command.name = `job-${job.id}`
      await task.start()
    }
    const { cause, exitCode } = await task.wait()
    db.prepare('UPDATE jobs SET result = ? WHERE id = ?').run(`${cause} ${exitCode}`, job.id)
    console.log(`job ${job.id}: ${cause}, exit code ${exitCode}`)
  }
  await lastValueFrom(from(jobs).pipe(mergeMap(perform, 2)), { defaultValue: null })
  await supervisor.prune() // their results are in the database
  await supervisor.close()
}
