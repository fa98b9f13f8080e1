import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supervisor, setCommand } from './library.ts'
import { inFlight } from './rounds.ts'

/** What openAll() did in a process of its own. Of heap and descriptors: what it added. */
export type Reopened = {
  readonly tasks: number
  readonly milliseconds: number
  /** Of all threads of the process, the garbage collector's included. */
  readonly cpuMs: number
  readonly gapMs: number
  readonly heapBytes: number
  readonly rssBytes: number
  readonly descriptors: number
}

export type Read = { readonly milliseconds: number; readonly cpuMs: number }

const [role, stateDir = '', platform, count] = process.argv.slice(2)

switch (role) {
  case 'start':
    await startSleepers(Number(count))
    break
  case 'read':
    await answer(readAll())
    break
  case 'open':
    await answer(await openAll(false))
    break
  case 'stop':
    await answer(await openAll(true))
    break
  default:
    throw new Error(`there is no role ${role}`)
}

/** And stays until it is killed. */
async function startSleepers(left: number): Promise<void> {
  const supervisor = new Supervisor({ stateDir, durability: 'process' })
  const startSome = async (): Promise<void> => {
    while (left-- > 0) {
      const task = supervisor.executor(platform === 'linux' ? 'linux' : 'basic')
      setCommand(task, '/bin/sleep', ['3600'])
      await task.start()
    }
  }
  await Promise.all(Array.from({ length: inFlight }, startSome))
  process.send?.('started')
  setInterval(() => {}, 60_000)
}

/** The peer: every record of every task read and parsed, and nothing made of them. */
function readAll(): Read {
  const clock = startClock()
  let fields = 0
  for (const key of readdirSync(join(stateDir, 'tasks'))) {
    const dir = join(stateDir, 'tasks', key)
    for (const name of readdirSync(dir)) {
      if (!name.endsWith('.json')) continue
      fields += Object.keys(JSON.parse(readFileSync(join(dir, name), 'utf8')) as object).length
    }
  }
  const times = clock()
  if (fields === 0) throw new Error('nothing was read')
  return times
}

/**
 * Twice: the first, as a new process, for the times; the second for the heap, in which nothing is left that
 * is made but once, such as code.
 */
async function openAll(stop: boolean): Promise<Reopened> {
  const first = new Supervisor({ stateDir })
  const descriptorsBefore = openDescriptors()
  const longestGap = watchGaps()
  const clock = startClock()
  const report = await first.openAll()
  const times = clock()
  const gapMs = longestGap()
  if (report.quarantined.length > 0 || report.lost.length > 0)
    throw new Error(`not as it was left: ${JSON.stringify(report).slice(0, 1000)}`)
  const rssBytes = process.memoryUsage.rss()
  const descriptors = openDescriptors() - descriptorsBefore
  const tasks = first.tasks.size
  if (stop) await first.shutdown({ graceMs: 60_000 })
  await first.close()
  return { tasks, ...times, gapMs, heapBytes: stop ? 0 : await heapOfAll(), rssBytes, descriptors }
}

async function heapOfAll(): Promise<number> {
  const supervisor = new Supervisor({ stateDir })
  const before = await settledHeap()
  await supervisor.openAll()
  const heap = (await settledHeap()) - before
  await supervisor.close()
  return heap
}

function startClock(): () => Read {
  const began = performance.now()
  const cpu = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { milliseconds: performance.now() - began, cpuMs: (user + system) / 1000 }
  }
}

/** A timer that wants to run every millisecond: the longest time it had to wait. */
function watchGaps(): () => number {
  let longest = 0
  let last = performance.now()
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const timer = setInterval(look, 1)
  return () => {
    clearInterval(timer)
    look()
    return longest
  }
}

/** Several times: what is found dead may hold on to something until its finalizer has run. */
async function settledHeap(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return process.memoryUsage().heapUsed
}

function openDescriptors(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
}

async function answer(value: Reopened | Read): Promise<void> {
  await new Promise<void>(resolve => {
    if (process.send === undefined) resolve()
    else process.send(value, () => resolve())
  })
  process.disconnect?.()
}
