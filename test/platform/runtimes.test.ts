import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, copyFileSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command, Executor, Resources } from '../../src/index.ts'
import { capabilityNames } from '../../src/command/capabilities.ts'
import { detectCgroups } from '../../src/platform/linux/cgroup-mode.ts'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { isRoot } from '../support/identity.ts'
import { cgroupsOf } from '../support/leftovers.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { goProgram, javaProgram, pythonProgram } from '../support/runtimes.ts'
import { seenBy, seenLimit, sharesMount, showCgroups } from '../support/seen-limits.ts'
import { keyOf, startRecordOf } from '../support/task-key.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { keeps } from './contract/linux-limits.ts'

const mebibyte = 1024 * 1024
const limits: Resources = { memoryMB: 256, cpuLimit: 0.5, pids: 4096 }
const isV1 = (controller: string): boolean => detectCgroups().v1.has(controller)
/** What `limits` are in the kernel's files. */
const expected = (): Record<string, string> => ({
  memory: String(256 * mebibyte),
  cpu: isV1('cpu') ? '50000' : '50000 100000',
  pids: '4096',
})

const inShared = (): Partial<Command> => ({})
/** A mount point of its own takes a root made for the task alone. */
const inOwn = (): Partial<Command> => ({ tmpfs: [{ target: '/scratch', sizeBytes: mebibyte }] })
const inHostCgroups = (): Partial<Command> => ({ namespaces: { cgroup: false } })

describe('a runtime sees the limits of its task', () => {
  before(function () {
    requires(this, 'linux', 'native', 'own-cgroup')
  })

  for (const [where, loosened] of [
    ['in a shared root', inShared],
    ['in a root of its own', inOwn],
    ["in the host's cgroup namespace", inHostCgroups],
  ] as const)
    it(`/proc/self/cgroup, mountinfo and /sys/fs/cgroup agree ${where}`, () =>
      withWorkbench('linux', async bench => {
        const task = bench.shell(showCgroups)
        Object.assign(task.command, loosened())
        await task.limit(limits)
        await task.start()
        await task.wait()
        assertSeen(task, await seenBy(task))
      }))

  it('so they do for what exec() brings in, and after update()', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo ready; read line')
      task.command.stdin = '/dev/zero'
      await task.limit(limits)
      await task.start()
      await untilOutput(task, 'ready')
      const session = task.exec('/bin/sh', '-c', showCgroups)
      await session.start()
      await session.wait()
      assertSeen(task, await seenBy(session))
      await task.update({ memoryMB: 300 })
      const later = task.exec('/bin/sh', '-c', showCgroups)
      await later.start()
      await later.wait()
      assert.equal(seenLimit(await seenBy(later), 'memory'), String(300 * mebibyte))
      await task.forceStop()
    }))

  it('a controller is there by its own name where its mount has another (cpu,cpuacct)', function () {
    if (!sharesMount('cpu')) {
      process.stderr.write(
        `SKIPPED ${this.test?.fullTitle()}: cpu is not mounted with another: npm run test:vm\n`,
      )
      return this.skip()
    }
    return withWorkbench('linux', async bench => {
      const task = bench.shell('cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us')
      await task.limit(limits)
      assert.equal(await outputOf(task), '50000\n')
    })
  })

  it('Node: its heap, its memory and its processors', async function () {
    await withWorkbench('linux', async bench => {
      if (!(await keepsBoth(bench))) return
      const seen = await node(bench, limits)
      assert.equal(seen.memory, 256 * mebibyte)
      // V8 takes 256 MiB for the old generation at least.
      assert.ok(seen.heap < 320 * mebibyte, JSON.stringify(seen))
      assert.ok((await node(bench, { memoryMB: 1024 })).heap > seen.heap)
      if (readsQuota(seen.uv)) assert.equal(seen.processors, 1)
      else
        process.stderr.write(
          `SKIPPED ${this.test?.fullTitle()}: os.availableParallelism() reads no quota before libuv 1.49, nor where cpu is mounted alone (libuv ${seen.uv})\n`,
        )
    })
  })

  it('Node: the processors of a cpuset', () =>
    withWorkbench('linux', async bench => {
      if (!(await keeps(bench, 'cpuset', { cpuset: '0' }))) return
      assert.equal((await node(bench, { cpuset: '0' })).processors, 1)
    }))

  it('Java: the heap is of the memory limit, and the processors of the quota', async function () {
    requires(this, 'java')
    await withWorkbench('linux', async bench => {
      if (!(await keepsBoth(bench))) return
      const flags = ['-XX:+PrintFlagsFinal', '-XshowSettings:system', '-version']
      const task = bench.command(javaProgram() ?? '', ...flags)
      await task.limit(limits)
      await task.start()
      const { successful } = await task.wait()
      const text = `${await output(task)}${await output(task, 'stderr')}`
      assert.ok(successful, text)
      const heap = Number(/MaxHeapSize\s*=\s*(\d+)/.exec(text)?.[1])
      assert.ok(heap > 32 * mebibyte && heap <= 128 * mebibyte, `MaxHeapSize ${heap}`)
      assert.match(text, /Effective CPU Count: 1\n/)
      assert.match(text, /Memory Limit: 256\.00M/)
    })
  })

  it('Go: GOMAXPROCS follows the quota', async function () {
    requires(this, 'go')
    await withWorkbench('linux', async bench => {
      if (!(await keepsBoth(bench))) return
      const task = bench.command('/tmp/go/limits')
      task.command.mounts = [{ source: compiledGo(bench), target: '/tmp/go', readOnly: true }]
      await task.limit(limits)
      const [threads, processors, held] = (await outputOf(task)).trim().split(' ')
      // Go never goes below two; that it has read the quota shows in the file that it keeps open.
      assert.equal(Number(threads), Math.min(Number(processors), 2))
      const directory = isV1('cpu') ? /^\/sys\/fs\/cgroup\/cpu[^/]*/ : /^\/sys\/fs\/cgroup/
      assert.match(held ?? '', new RegExp(`${directory.source}/cpu\\.(cfs_quota_us|max)$`))
      if (Number(processors) < 3)
        process.stderr.write(
          `SKIPPED ${this.test?.fullTitle()}: fewer threads than processors, of 3 or more\n`,
        )
    })
  })

  it('Python: the files as its programs read them, and the processors of a cpuset', async function () {
    requires(this, 'python3')
    await withWorkbench('linux', async bench => {
      if (!(await keepsBoth(bench))) return
      const program = 'limits.py'
      const directory = bench.directory('python')
      chmodSync(directory, 0o755)
      copyFileSync(fixture(program), join(directory, program))
      const hasCpuset = await keeps(bench, 'cpuset', { cpuset: '0' })
      const task = bench.command(pythonProgram() ?? '', `/tmp/python/${program}`)
      task.command.mounts = [{ source: directory, target: '/tmp/python', readOnly: true }]
      await task.limit({ ...limits, ...(hasCpuset && { cpuset: '0' }) })
      const [memory, cpus, count, allowed] = (await outputOf(task)).trim().split(' ')
      assert.deepEqual([memory, cpus], [String(256 * mebibyte), '0.5'], await output(task, 'stderr'))
      if (!hasCpuset) return
      assert.equal(allowed, '1')
      if (count === 'absent')
        process.stderr.write(`SKIPPED ${this.test?.fullTitle()}: os.process_cpu_count is of Python 3.13\n`)
      else assert.equal(count, '1')
    })
  })
})

describe('attack: what a task makes of the view of its cgroups', () => {
  before(function () {
    requires(this, 'linux', 'native', 'own-cgroup')
  })

  const others = ownCapabilities().filter(name => name !== 'CAP_SYS_ADMIN')
  for (const [who, strong] of [
    ['with no capability', {}],
    ['with every capability but that of mounting', { capabilities: others, noNewPrivileges: false }],
  ] as const satisfies readonly (readonly [string, Partial<Command>])[])
    it(`${isRoot ? 'root' : 'its user'} ${who} writes nothing there, and finds nobody else's`, () =>
      withWorkbench('linux', async bench => {
        const neighbour = bench.shell('echo ready; sleep 1000')
        await neighbour.limit(limits)
        await neighbour.start()
        await untilOutput(neighbour, 'ready')
        const task = bench.shell(`
          echo @wrote
          for file in $(find /sys/fs/cgroup -type f); do { true > $file && echo $file; } 2>/dev/null; done
          find /sys/fs/cgroup -exec chmod -c 777 {} + 2>/dev/null
          directories=$(find /sys/fs/cgroup -type d)
          mkdir -v $(echo "$directories" | sed 's,$,/planted,') 2>/dev/null
          for at in $directories; do rmdir $at 2>/dev/null && echo $at; done
          for at in $directories; do
            mount -o remount,rw,bind $at 2>/dev/null && echo $at; umount $at 2>/dev/null && echo $at; done
          echo @wrote
          echo @found
          grep -rs ${neighbour.key} /sys /proc/self/cgroup /proc/self/mountinfo
          # 0: a process of another pid namespace.
          find /sys/fs/cgroup -name cgroup.procs | xargs cat | grep -x 0
          find /sys/fs/cgroup/ -name '*holdfast*'
          echo @found
          cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null`)
        Object.assign(task.command, isRoot ? { user: 'root' } : {}, strong)
        await task.limit(limits)
        const text = await outputOf(task)
        assert.match(text, /@wrote\n@wrote\n@found\n@found\n/)
        assert.match(text, new RegExp(`^${256 * mebibyte}$`, 'm'))
        await neighbour.forceStop()
      }))

  it("control: in the host's root the neighbour's are found", () =>
    withWorkbench('linux', async bench => {
      const neighbour = bench.shell('echo ready; sleep 1000')
      await neighbour.limit(limits)
      await neighbour.start()
      await untilOutput(neighbour, 'ready')
      const task = bench.shell(`find /sys/fs/cgroup -name '*${neighbour.key}'`)
      task.command.root = 'host'
      assert.match(await outputOf(task), new RegExp(neighbour.key))
      await neighbour.forceStop()
    }))

  it('it keeps no cgroup from going away, though the mounts outlive the task', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo ready; sleep 1000')
      await task.limit(limits)
      await task.start()
      await untilOutput(task, 'ready')
      const [key, { task: leader }] = [keyOf(task), startRecordOf(task)]
      assert.notDeepEqual(cgroupsOf(key), [])
      // Whoever may: a namespace is held by a descriptor of it.
      const held = isRoot ? openSync(`/proc/${leader.pid}/ns/mnt`, 'r') : null
      try {
        await task.forceStop()
        await task.destroy()
        assert.deepEqual(cgroupsOf(key), [])
      } finally {
        if (held !== null) closeSync(held)
      }
    }))
})

/** Those that this host lets anybody have. */
function ownCapabilities(): string[] {
  const [, mask = '0'] = /^CapBnd:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return capabilityNames.filter((_, number) => (BigInt(`0x${mask}`) >> BigInt(number)) & 1n)
}

async function keepsBoth(bench: Workbench): Promise<boolean> {
  return (
    (await keeps(bench, 'memoryMB', { memoryMB: 256 })) && (await keeps(bench, 'cpuLimit', { cpuLimit: 0.5 }))
  )
}

function assertSeen(task: Executor, seen: Parameters<typeof seenLimit>[0]): void {
  const rows = new Map(task.enforcement.map(({ name, status }) => [name, status]))
  for (const [field, controller] of [
    ['memoryMB', 'memory'],
    ['cpuLimit', 'cpu'],
    ['pids', 'pids'],
  ] as const)
    if (rows.get(field) === 'enforced')
      assert.equal(seenLimit(seen, controller), expected()[controller], controller)
    else process.stderr.write(`SKIPPED ${field} as it is seen: this host does not limit it\n`)
}

type NodeSees = {
  readonly uv: string
  readonly heap: number
  readonly memory: number
  readonly processors: number
}

/** This very Node, from a directory that the task is shown. */
async function node(bench: Workbench, resources: Resources): Promise<NodeSees> {
  const expression = `JSON.stringify({ uv: process.versions.uv, heap: v8.getHeapStatistics().heap_size_limit,
    memory: process.constrainedMemory(), processors: os.availableParallelism() })`
  const task = bench.command('/tmp/node/node', '-p', expression)
  task.command.mounts = [{ source: dirname(process.execPath), target: '/tmp/node', readOnly: true }]
  await task.limit(resources)
  const text = await outputOf(task)
  assert.notEqual(text, '', await output(task, 'stderr'))
  return JSON.parse(text) as NodeSees
}

/** libuv, src/unix/linux.c: of version 1 it takes `cpu` only for the first of several in one mount. */
function readsQuota(uv: string): boolean {
  const [major = 0, minor = 0] = uv.split('.').map(Number)
  return (major > 1 || minor >= 49) && !isV1('cpu')
}

function compiledGo(bench: Workbench): string {
  const directory = bench.directory('go')
  chmodSync(directory, 0o755)
  // What a program's runtime does by default is what its go.mod is of.
  writeFileSync(join(directory, 'go.mod'), 'module limits\ngo 1.25\n')
  copyFileSync(fixture('limits.go'), join(directory, 'limits.go'))
  const env = { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' }
  execFileSync(goProgram() ?? '', ['build', '-o', 'limits', '.'], { cwd: directory, env })
  return directory
}

function fixture(name: string): string {
  return join(packageRoot, 'test/fixtures/runtimes', name)
}
