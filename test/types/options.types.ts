/**
 * Compiled by `npm run typecheck`, never run: what a call may be given. Each @ts-expect-error is an option
 * that must not compile.
 */
import { Readable } from 'node:stream'
import { expectTypeOf } from 'expect-type'
import {
  type Command,
  command,
  type Executor,
  newBasicExecutor,
  newExecutor,
  newLinuxExecutor,
  type Resources,
  run,
  type RunOptions,
  Supervisor,
  type SupervisorOptions,
} from '../../src/index.ts'

// Program and arguments.
expectTypeOf(command('ls', '-l', '/')).toEqualTypeOf<Executor>()
expectTypeOf(newExecutor()).toEqualTypeOf<Executor>()
expectTypeOf(newBasicExecutor()).toEqualTypeOf<Executor>()
expectTypeOf(newLinuxExecutor()).toEqualTypeOf<Executor>()
expectTypeOf(new Supervisor().command('ls')).toEqualTypeOf<Executor>()
// @ts-expect-error a command has a name
command()
// @ts-expect-error arguments are strings
command('sleep', 10)
// @ts-expect-error run() takes its arguments as an array
run('ls', '-l')
// @ts-expect-error an executor is made without options
newBasicExecutor({ strict: true })

// The command.
const { command: draft } = command('ls')
expectTypeOf(draft).toEqualTypeOf<Command>()
expectTypeOf(draft.env).toEqualTypeOf<Record<string, string>>()
draft.env = process.env
draft.env = { ...process.env, NAME: 'value', ABSENT: undefined }
draft.stdin = Readable.from(['text'])
draft.stdin = 'fd:5'
draft.user = 1000
draft.user = 'nobody'
draft.network = { path: '/run/netns/web' }
draft.logs = 'plain'
draft.logs = { maxBytes: 65_536, maxFiles: 2 }
draft.root = { embed: { '/usr': '/usr' } }
draft.namespaces = { pid: false }
// @ts-expect-error a variable is a string
draft.env = { PORT: 8080 }
// @ts-expect-error not a network that a task can have
draft.network = 'bridge'
// @ts-expect-error a rotation has both numbers
draft.logs = { maxBytes: 65_536 }
// @ts-expect-error not a namespace
draft.namespaces = { time: true }
// @ts-expect-error a profile is the default one, or none
draft.seccomp = 'strict'
// @ts-expect-error standard output goes to a path or a descriptor, not into a stream
draft.stdout = process.stdout
// @ts-expect-error a mount has a target
draft.mounts = [{ source: '/srv' }]
// @ts-expect-error no such field
draft.workingDirectory = '/srv'
// @ts-expect-error the program is never absent
draft.path = undefined
// @ts-expect-error an executor's command is filled in, not replaced
command('ls').command = draft

// Limits.
const limits: Resources = {
  ...{ cpu: 512, cpuLimit: 0.5, cpuset: '0-1', memoryMB: 64, memoryBytes: 2 ** 26, swapBytes: 0 },
  ...{ memoryReserveBytes: 2 ** 20, pids: 32, iops: 100, wallTimeMs: 1000, outputBytes: 1024 },
  io: [{ device: '/dev/sda', readBps: 1024 }],
  rlimits: { nofile: 1024, core: [0, Infinity] },
}
expectTypeOf(command('ls').limit(limits)).toEqualTypeOf<Promise<void>>()
// @ts-expect-error sizes are numbers
limits.memoryBytes = '64M'
// @ts-expect-error no such limit
limits.memory = 64
// @ts-expect-error no such resource limit
limits.rlimits = { files: 1024 }
// @ts-expect-error a resource limit has two values at most
limits.rlimits = { nofile: [1, 2, 3] }
// @ts-expect-error a limit of input and output names its device
limits.io = [{ readBps: 1024 }]
// @ts-expect-error absent is not undefined
limits.pids = undefined

// Calls of a task.
const task = command('ls')
expectTypeOf(task.start({ signal: AbortSignal.timeout(1000) })).toEqualTypeOf<Promise<void>>()
expectTypeOf(task.signal('SIGHUP')).toEqualTypeOf<Promise<void>>()
expectTypeOf(task.exec('ps', 'ax')).toEqualTypeOf<Executor>()
// @ts-expect-error signals go by their names
task.signal(15)
// @ts-expect-error no such signal
task.shutdown({ signal: 'SIGSTOPPED' })
// @ts-expect-error the grace is graceMs, in milliseconds
task.shutdown({ grace: 5 })
// @ts-expect-error the first signal goes to the group or the leader
task.shutdown({ target: 'all' })
// @ts-expect-error a terminal has columns
task.resize({ rows: 24 })
// @ts-expect-error no such stream
task.logs$('stdin')
// @ts-expect-error since is a Date
task.output$({ since: '10m' })

// run() takes every field of the command, and its own.
expectTypeOf<Partial<Command>>().toExtend<RunOptions>()
run('sort', ['-r'], { input: 'b\na\n', cwd: '/', limits: { memoryBytes: 2 ** 26 }, keep: true })
// @ts-expect-error limits stand under `limits`
run('ls', [], { memoryBytes: 2 ** 26 })
// @ts-expect-error the time limit is limits.wallTimeMs
run('ls', [], { timeout: 1000 })
// @ts-expect-error input is text, bytes or a stream
run('cat', [], { input: 42 })

// Supervisors.
expectTypeOf<NonNullable<SupervisorOptions['orphans']>>().toEqualTypeOf<'keep' | 'kill'>()
expectTypeOf<NonNullable<SupervisorOptions['durability']>>().toEqualTypeOf<'host' | 'process'>()
expectTypeOf<NonNullable<SupervisorOptions['defaults']>>().toEqualTypeOf<Resources>()
// @ts-expect-error no such platform
new Supervisor().executor('docker')
// @ts-expect-error orphans are kept or killed
new Supervisor({ orphans: 'adopt' })
// @ts-expect-error no such option
new Supervisor({ directory: '/var/lib/holdfast' })
