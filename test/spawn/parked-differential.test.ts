import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Executor } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { childrenOf } from '../support/held.ts'
import { fitting, parkedOf, SpokenSpawner } from '../support/parked-shims.ts'
import { statFields, statOf } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'
import { startRecordOf } from '../support/task-key.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

/**
 * A start that fills in a shim that was made before, and one that goes the long way: what they come to is
 * looked at from outside, in /proc, and has to be the same.
 */
describe('a task of a shim that was made before it', function () {
  this.timeout(120_000)
  before(function () {
    requires(this, 'root', 'linux', 'native')
  })

  const kinds: Readonly<Record<string, (task: Executor) => void>> = {
    'with every wall': () => {},
    'as root, with a capability': task => {
      Object.assign(task.command, { user: 'root', capabilities: ['CAP_NET_RAW'] })
    },
    'in the network of the host': task => {
      task.command.network = 'host'
    },
    'with a nice value and a terminal': task => {
      Object.assign(task.command, {
        nice: 3,
        oomScoreAdj: 7,
        umask: 0o27,
        terminal: { rows: 24, columns: 80 },
      })
    },
  }
  for (const [title, change] of Object.entries(kinds))
    it(`is what it is the long way: ${title}`, async () => {
      const [parked, long] = [await look('1', change), await look('0', change)]
      for (const who of ['shim', 'init', 'task'] as const) assert.deepEqual(parked[who], long[who])
    })

  const changes: Readonly<Record<string, (spawner: number) => () => Promise<void>>> = {
    'a limit': pid => {
      execFileSync('prlimit', [`--pid=${pid}`, '--core=4096:8192'])
      return async () => {}
    },
    'its nice value': pid => {
      execFileSync('renice', ['-n', '5', '-p', `${pid}`], { stdio: 'ignore' })
      return async () => {}
    },
    'its processors': pid => {
      execFileSync('taskset', ['-p', '1', `${pid}`], { stdio: 'ignore' })
      return async () => {}
    },
    'its oom_score_adj': pid => {
      writeFileSync(`/proc/${pid}/oom_score_adj`, '123')
      return async () => {}
    },
    'its cgroup': pid => {
      const group = `${cgroupMount()}/holdfast-parked-${pid}`
      mkdirSync(group)
      writeFileSync(join(group, 'cgroup.procs'), `${pid}`)
      return () => eventually(() => rmdirSync(group))
    },
  }
  for (const [title, change] of Object.entries(changes))
    it(`is not of what the spawner was before somebody changed ${title}`, async function () {
      if (title === 'its cgroup') requires(this, 'own-cgroup')
      // It has one, before and after.
      if (title === 'its processors' && availableParallelism() === 1) this.skip()
      const spawner = new SpokenSpawner('2')
      await spawner.run(3)
      const waiting = await spawner.untilParked(2)
      const undo = change(spawner.pid)
      try {
        const { id } = spawner.send({ ...fitting, argv: ['sleep', '1000'], path: '/bin/sleep' })
        const { shim } = await spawner.until(id, 'started')
        assert.ok(!waiting.includes(shim.pid))
        assert.deepEqual(bornWith(shim.pid), bornWith(spawner.pid))
        process.kill(shim.pid, 'SIGUSR2')
        await spawner.until(id, 'gone')
        // Those have been told to go.
        await eventually(() => {
          const { parked } = spawner
          assert.deepEqual(
            waiting.filter(pid => parked.includes(pid)),
            [],
          )
        })
        for (const next of await spawner.untilParked(2))
          assert.deepEqual(bornWith(next), bornWith(spawner.pid))
      } finally {
        for (const pid of childrenOf(spawner.pid)) process.kill(pid, 'SIGKILL')
        await spawner.close()
        await undo()
      }
    })
})

type Seen = Readonly<Record<'shim' | 'init' | 'task', Facts>>
type Facts = Readonly<Record<string, unknown>>

/** The fifth start of a supervisor whose spawner parks one, or none. */
async function look(parked: string, change: (task: Executor) => void): Promise<Seen> {
  let seen: Seen | null = null
  await withVariable('HOLDFAST_PARKED', `${parked},600000`, () =>
    withWorkbench('linux', async bench => {
      for (let start = 0; start < 3; start++) await started(bench, change, '0')
      const spawner = statOf(startRecordOf(await started(bench, change, '1000')).shim.pid)?.parent ?? 0
      // One that is made is used up by the start before.
      if (parked !== '0') await eventually(() => assert.notDeepEqual(parkedOf(spawner), []))
      const waiting = parkedOf(spawner)
      const task = await started(bench, change, '1000')
      const { shim, task: own } = startRecordOf(task)
      assert.equal(waiting.includes(shim.pid), parked !== '0')
      const init = childrenOf(shim.pid).find(pid => statOf(pid)?.name === 'holdfast-init') ?? 0
      const numbers = new Map([
        [shim.pid, 'SHIM'],
        [own.pid, 'TASK'],
        [init, 'INIT'],
        [spawner, 'SPAWNER'],
      ])
      const facts = (pid: number): Facts => factsOf(pid, numbers, bench)
      const all = (): Seen => ({ shim: facts(shim.pid), init: facts(init), task: facts(own.pid) })
      // A shim that has answered is about to close what it has answered by.
      await eventually(async () => {
        seen = all()
        await new Promise(resolve => setTimeout(resolve, 50))
        assert.deepEqual(all(), seen)
      })
    }),
  )
  assert.ok(seen !== null)
  return seen
}

async function started(
  bench: Workbench,
  change: (task: Executor) => void,
  seconds: string,
): Promise<Executor> {
  const task = bench.command('/bin/sleep', seconds)
  change(task)
  await task.limit({ memoryMB: 64, pids: 32 })
  await task.start()
  if (seconds === '0') await task.wait()
  return task
}

/** What differs from one process to the next by its nature is left out, or has the name of what it means. */
function factsOf(pid: number, numbers: ReadonlyMap<number, string>, bench: Workbench): Facts {
  const text = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'latin1')
  const named = (words: string): string =>
    stable(words.replace(/\b\d+\b/g, number => numbers.get(Number(number)) ?? number))
  const stable = (words: string): string =>
    words
      .replaceAll(bench.stateDir, 'STATE')
      .replace(/\b[0-9a-z]{14}\b/g, 'KEY')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
  const links = readdirSync(`/proc/${pid}/fd`).map(fd =>
    named(`${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`.replace(/(socket|pipe):\[\d+\]/, '$1')),
  )
  const status = text('status')
    .split('\n')
    .filter(line => !/^(Vm|Rss|Hugetlb|voluntary|nonvoluntary|SigQ|State|untag|x86)/.test(line))
    .map(named)
  const [, , name, , parent, group, session, terminal, foreground] = statFields(text('stat'))
  const namespaces = readdirSync(`/proc/${pid}/ns`).map(kind => {
    const own = readlinkSync(`/proc/${pid}/ns/${kind}`) === readlinkSync(`/proc/self/ns/${kind}`)
    return `${kind} ${own ? 'of the host' : 'another'}`
  })
  const files = ['limits', 'cgroup', 'oom_score_adj', 'coredump_filter', 'timerslack_ns', 'personality']
  return {
    ...Object.fromEntries(files.map(file => [file, named(text(file))])),
    status,
    // Which numbers our own have is nobody's business.
    links: numbers.get(pid) === 'TASK' ? links : links.map(link => link.replace(/^\d+ /, '')).sort(),
    environ: named(text('environ')),
    cmdline: text('cmdline').replace(/parked=\d/, 'parked'),
    stat: [name, parent, group, session, terminal, foreground].map(word => named(word ?? '')),
    namespaces,
    // The shim has the host's own, which others change meanwhile.
    mounts:
      numbers.get(pid) === 'SHIM'
        ? null
        : stable(text('mountinfo'))
            .split('\n')
            .map(line => line.replace(/^\d+ \d+ \d+:\d+ /, '')),
    born: { ...bornWith(pid), cgroup: null },
    root: existsSync(`/proc/${pid}/root/`),
  }
}

/** What is inherited from the spawner and may be changed in it by others. */
function bornWith(pid: number): Facts {
  const text = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'latin1')
  const fields = statFields(text('stat'))
  return {
    limits: text('limits'),
    cgroup: text('cgroup'),
    oom: text('oom_score_adj'),
    nice: fields[19],
    policy: fields[41],
    cpus: /^Cpus_allowed:.*/m.exec(text('status'))?.[0],
  }
}

function cgroupMount(): string {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const found = mounts.find(line => / - cgroup2 /.test(line)) ?? mounts.find(line => / - cgroup /.test(line))
  return found?.split(' ')[4] ?? assert.fail('there is no cgroup file system')
}
