import type { Readable, Writable } from 'node:stream'
import type { Observable } from 'rxjs'
import type { AnyActorRef } from 'xstate'
import type { Cause, FailureCode, TaskContext, TaskState } from '../machines/index.ts'
import type { AllocDir } from './alloc/alloc-dir.ts'
import type { HoldfastError } from './errors.ts'

/** What to run, and under which privileges. Frozen by `start()`. */
export interface Command {
  /** The program. A bare name is looked up on the task's PATH. */
  path: string
  /**
   * Arguments without the program's own name, as in `child_process.spawn`, which reach the program byte for
   * byte.
   */
  args: string[]
  /** What the program sees as its own name. Default: `path` as it was given. */
  argv0?: string
  /**
   * Puts the task's own variables into `path` and `args`, where they have `$NAME` or `${NAME}`; an unknown
   * one stays as it is. Default false: done before a shell sees the text it turns data into code, and it puts
   * what a variable holds into argv, where every user can read it.
   */
  interpolate?: boolean
  /**
   * Exactly this, plus NOMAD_* and HOLDFAST_*; nothing of the supervisor's own environment, unless it is
   * passed on by `env = process.env` or `{ ...process.env, NAME: 'value' }`. A variable that is undefined is
   * left out.
   */
  get env(): Record<string, string>
  set env(variables: Readonly<Record<string, string | undefined>>)
  /**
   * Working directory, absolute, as the task sees it. Default: `workspace`, else the task directory (Basic),
   * `/` (Linux).
   */
  cwd?: string
  /**
   * Name or number. Default: `nobody` (Linux, as root), else your own. start() rejects PERMISSION where you
   * may not become that user, START_FAILED for an unknown name.
   * `'own'`: a user and a group that no other task and no account of this host has, as long as anything of
   * the task is left; the row `user` says which number. As root, with a root of the task's own: elsewhere
   * start() rejects UNSUPPORTED.
   */
  user?: string | number
  /** Name or number. Default: the user's own group. */
  group?: string | number
  /** Of files that the task makes, 0 to 0o777. Default 0o022. */
  umask?: number
  /**
   * `'null'` (default), an absolute path, `'fd:N'`, `'attach'`, or a stream of this program. `'attach'` (the
   * default with a `terminal`) stays open for as long as the task runs, for whoever has its id: see
   * openInput(). With the native program only. A stream is fed to the task through a pipe. The task sees the
   * end when the stream ends, and also when the supervisor is closed or this program ends; a stream that the
   * task reads no further is destroyed. A stream that fails, or is destroyed before its end, is no end: the
   * task is shut down before it sees one, its result has an `error` (`LOST`, stage `stdin`), and its history
   * an `input failed`.
   */
  stdin?: string | Readable
  /**
   * `'null'`, an absolute path, or `'fd:N'`: a descriptor of this program, which must stay open until start()
   * has resolved. A file or a socket is passed as it is, with its offset and flags; anything else is opened
   * anew. Default: the log files. A FIFO outside the allocation, or one there that is ours alone (mode 0600),
   * needs no reader: the task waits when it is full.
   */
  stdout?: string
  /** As `stdout`. */
  stderr?: string
  /**
   * A pseudo-terminal of the task's own `/dev/pts`, for stdin, stdout and stderr together, and the
   * controlling terminal of its session. What is read from `stdin` is typed into it, and so is what
   * openInput() writes; what it shows goes to `stdout`, whose log any number may read. With the native
   * program only; TERM is `env`'s to say.
   */
  terminal?: TerminalSize
  /**
   * The task's shim writes its log files and rotates them: the task can neither forge nor erase nor outgrow
   * them. Default: 32 MiB in each of 4 files a stream, for the log files; what `stdout` or `stderr` names is
   * rotated only when this is given. `'plain'`: the task writes its files itself, and they grow without
   * bound. `'collected'`: the same, but what goes to a FIFO goes through the shim. The task waits for a
   * collector that is slow, but for none that has died: what the FIFO has no room for is thrown away two
   * seconds after that. With the native program only.
   */
  logs?: LogRotation | 'plain' | 'collected'
  /** The host name that the task sees. */
  hostname?: string
  /**
   * The host's network (default), none but a loopback of its own, the network namespace at a path, or these
   * destinations and nothing else: `host:port`, `*.domain:port`, `address/prefix:port`, where the port is a
   * number, `*` for any, or left out for 443 and 80. They are reached through a proxy on the task's loopback
   * (HTTP CONNECT, plain HTTP, SOCKS5), which HTTP_PROXY, HTTPS_PROXY and ALL_PROXY name. Names are resolved
   * outside; a private address is refused unless a rule names it by address. Where there are no network
   * namespaces start() rejects UNSUPPORTED for destinations, and with 'none' the task has the host's network
   * and can make no sockets for it (row `network`, `weakened`); with `seccomp: 'off'` it can (`skipped`).
   */
  network?: 'host' | 'none' | { path: string } | { allow: string[] }
  /** Files and directories of the host to show in the task. Default: none. */
  mounts?: Mount[]
  /**
   * A directory of the host that the task works in: it sees it at its own path, may write there unless
   * `readOnly`, and it is its working directory unless `cwd` says otherwise. Inside, its files are the
   * task's; outside, what the task has written belongs to whom the directory belongs to. As root that takes
   * an ID-mapped mount (mount_setattr(2): Linux 5.12, and a file system that has it: ext4, xfs, btrfs, tmpfs,
   * not overlay). Where there is none the task runs as the directory's owner, unless that is root or `user`
   * is given; the row `workspace` says so. An ordinary user's own directory is his task's.
   * No task is made root by it, and none can leave a set-user-ID program there. start() rejects
   * INVALID_ARGUMENT for what is no directory, for the system's own directories, home directories and the
   * state directory, and for a path that a task could have put a link into (PERMISSION). On the Basic
   * executor it is the working directory, and nothing keeps the task in it. Default: none.
   */
  workspace?: string | Workspace
  /**
   * Empty file systems in memory, which counts as the task's. One inside a mount lies over what that has
   * there; one at the very place of a mount, beneath it. Default: none.
   */
  tmpfs?: Tmpfs[]
  /**
   * Files of the task alone, by their names: `/secrets/<name>`, mode 0400, its user's, in memory that is
   * never swapped (ramfs), read-only. Nothing of them is stored or shown anywhere else: they go to the task
   * once, start() takes them out of the command, and no other start can have them again. Names are file names
   * of up to 255 bytes; 256 of them, of 1 MiB each, 4 MiB together. HOLDFAST_SECRETS_DIR and
   * NOMAD_SECRETS_DIR name the directory. What exec() starts sees the same one. start() rejects UNSUPPORTED
   * where the task gets no root of its own: Basic, `root: 'host'`, no mount namespace.
   */
  secrets?: Record<string, string | Uint8Array>
  /** Host device nodes to show in the task's /dev. */
  devices?: string[]
  /**
   * Default: a root of its own that shows the system directories of the host, read-only. `'host'`: the host's
   * own. `embed`: these paths of the host and no others, read-only, `{ hostPath: pathInRoot }`.
   */
  root?: 'host' | { embed: Record<string, string> }
  /** Capabilities to keep, such as `CAP_NET_BIND_SERVICE`. */
  capabilities?: string[]
  /** No program that it runs gains privileges by setuid bits or file capabilities. Default true. */
  noNewPrivileges?: boolean
  /** The filter of system calls. Default `'default'`. */
  seccomp?: 'default' | 'off'
  /**
   * Namespaces of its own; false leaves the task in the supervisor's. Default: mount, pid, ipc, uts and
   * cgroup.
   */
  namespaces?: Partial<Record<Namespace, boolean>>
  /**
   * Cgroups that an orchestrator has made for the task, at most one of each hierarchy: the task joins them in
   * the place of holdfast's own there, and its limits are written into them. They are never made, emptied or
   * removed. What their limits held up is counted from its start on; a peak of memory that was there before
   * is not told. Linux executor, with its pid namespace.
   */
  cgroups?: string[]
  /** -1000 to 1000: whom the kernel kills first when memory is out. */
  oomScoreAdj?: number
  /** -20 to 19: priority of the processor. */
  nice?: number
  /**
   * How the kernel shares processors with it, sched(7): `'batch'`, for work that nobody waits for, or
   * `'idle'`, only when nobody else wants one, below any `nice`. Default: the supervisor's own. From `'idle'`
   * back the kernel lets only who may raise priorities. Linux with the native program; elsewhere a row.
   */
  cpuPolicy?: 'other' | 'batch' | 'idle'
  /**
   * For people: names the task on the command line, in streams and its directory. Default: the program's own
   * name.
   */
  name?: string
  /**
   * For people and filters; they change nothing of how it runs. Names of 1 to 128 letters, digits, ".", "_",
   * "-" and "/".
   */
  labels?: Record<string, string>
}

/** Of a terminal, each 1 to 65535. */
export type TerminalSize = { rows: number; columns: number }

/**
 * A command as it is stored: a stream has no meaning to anybody but the program that has it, and secrets are
 * not stored.
 */
export type PlainCommand = Omit<Command, 'stdin' | 'secrets'> & { stdin?: string }

/**
 * A log that has reached `maxBytes` is followed by another; beyond `maxFiles`, the current one among them,
 * the oldest goes. So each stream takes `maxFiles * maxBytes` at most.
 */
export type LogRotation = {
  /** Bytes, 4096 or more. */
  maxBytes: number
  /** 2 to 100. */
  maxFiles: number
  /**
   * `shift`: the log is `<file>`; a full one becomes `<file>.1`, that one `<file>.2`, and so on, mode 0640.
   * `increment`: the first is `<file>.0`, the next `<file>.1`, and so on; none is ever renamed, the highest
   * is the current one, mode 0644, and a later task with the same log goes on with the highest. That is how
   * Nomad names logs and how its clients follow them. Linux with the native program; elsewhere the start
   * rejects with UNSUPPORTED. Default `shift`.
   */
  numbering?: 'shift' | 'increment'
}

export type Namespace = 'mount' | 'pid' | 'ipc' | 'uts' | 'cgroup' | 'network' | 'user'

export type Mount = {
  /** On the host, absolute. */
  source: string
  /** In the task, absolute. */
  target: string
  /** Default false. */
  readOnly?: boolean
}

export type Workspace = {
  /** On the host and in the task, absolute. */
  path: string
  /** Default false. */
  readOnly?: boolean
  /**
   * What the task changes goes to a directory of its own, and nothing of this one changes until apply().
   * Linux executor with the native program, on a kernel with overlayfs: Linux 5.12 (5.19 where the files of
   * another user are mapped), and a state directory on ext4, xfs, btrfs or tmpfs. Where it cannot be had
   * start() rejects; so does it for a directory in which something else is mounted. Default false.
   */
  overlay?: boolean
}

export type Tmpfs = {
  /** In the task, absolute. */
  target: string
  /** Bytes. Default: 512 MiB, or the task's memory limit where that is less. */
  sizeBytes?: number
}

/** `[soft, hard]` or both at once. Bytes, seconds or counts, as setrlimit(2) has them. */
export type Rlimit = number | [number, number]
export type RlimitName =
  | 'as'
  | 'core'
  | 'cpu'
  | 'data'
  | 'fsize'
  | 'locks'
  | 'memlock'
  | 'msgqueue'
  | 'nice'
  | 'nofile'
  | 'nproc'
  | 'rss'
  | 'rtprio'
  | 'rttime'
  | 'sigpending'
  | 'stack'

export type IoLimit = {
  /** A block device's path, or `major:minor`. */
  device: string
  /** Bytes a second, as are those written. */
  readBps?: number
  writeBps?: number
  /** Operations a second, as are those that write. */
  readIops?: number
  writeIops?: number
}

export interface Resources {
  /** Shares, integer >= 2: a relative weight (v1 cpu.shares). */
  cpu?: number
  /** Cores, > 0; 0.5 is half a core. */
  cpuLimit?: number
  /** Processors, such as `0-1,3`. */
  cpuset?: string
  /** Maximum memory in MiB: another way to write `memoryBytes`. */
  memoryMB?: number
  /** Maximum memory in bytes. */
  memoryBytes?: number
  /** Swap in bytes, on top of the memory. Default 0 where there is a memory limit. */
  swapBytes?: number
  /** Bytes that are protected (v2) or a soft limit (v1). */
  memoryReserveBytes?: number
  /**
   * Who dies when memory is out: all of the task (default), or the process that the kernel picks. On cgroup
   * v2 that is memory.oom.group (cgroup-v2.rst); on v1 the shim kills the others when it hears of the
   * kernel's choice, which a parent that is quick may notice, and the row says so.
   */
  oom?: 'task' | 'process'
  /** Maximum number of processes and threads. */
  pids?: number
  /** 10 to 1000: io weight. */
  iops?: number
  /** Limits by block device. */
  io?: IoLimit[]
  /** Limits of setrlimit(2), for each process by itself. */
  rlimits?: Partial<Record<RlimitName, Rlimit>>
  /** Milliseconds after which the task is shut down, with cause `timeout`. */
  wallTimeMs?: number
  /**
   * Bytes, 1 MiB or more, that it can store in `/local`, `/alloc`, its logs and an overlay together: beyond
   * that its writes fail with ENOSPC or EDQUOT, and what it prints is dropped from its logs. Its allocation
   * becomes a project of its file system where that has project quotas (docs/isolation.md), else a file
   * system of that size, of which the tables take a few per cent. Takes root, for the second way mkfs.ext4
   * and loop devices, and an allocation of the task's own: where it cannot be had the row says so.
   * `update()` gives a project another limit, and makes a file system larger (CAP_SYS_RESOURCE). It refuses
   * less than is stored, of a file system less than it has (INVALID_ARGUMENT), and a task without either
   * (UNSUPPORTED).
   */
  diskBytes?: number
  /**
   * Bytes that its two streams may give together, 1 or more. When they have given more it is shut down, with
   * cause `output`; what came meanwhile is in its logs. Counted by the shim, so that it holds while no
   * supervisor lives: of a stream that the shim does not carry (`logs: 'plain'`, a file or a descriptor of
   * the caller's) nothing is counted, and the row says so.
   */
  outputBytes?: number
}

/** How a task ended. What is not known is null, never 0 or 137. A failed start is a result, too. */
export interface WaitResult {
  /** 0 to 255; on Windows 32 bits. Null when killed by a signal or unknown; never invented. */
  exitCode: number | null
  /** What ended it; null when it exited, or that is not known. */
  signal: NodeJS.Signals | null
  /** The kernel says that it wrote a core (wait(2), WCOREDUMP), where RLIMIT_CORE let it. */
  coreDumped: boolean
  /** The kernel killed one of its processes for memory; see `cause` for what ended the task. */
  oomKilled: boolean
  /** Why it ended. */
  cause: Cause
  /** Read from the exit record, or concluded without one. */
  evidence: 'record' | 'inferred'
  /** What went wrong besides the program: a failed start, a lost task, a failed input. */
  error: HoldfastError | null
  /** When the program was exec'ed; null when it was not, or that is not known. */
  startedAt: Date | null
  /** When the program ended, by the shim's wall clock; null when that is not known. */
  exitedAt: Date | null
  /**
   * Of all its processes that were waited for (wait4(2)): milliseconds of processor time in user and kernel
   * mode, and bytes of the largest resident set of one of them. Null where nobody counted. Of all of them
   * together, by their cgroup: the most memory in use at once (v2 memory.peak, Linux 5.19; v1
   * memory.max_usage_in_bytes), and its limit at the end (memory.max; memory.limit_in_bytes), in bytes; each
   * null where it has none.
   */
  usage: {
    cpuUserMs: number
    cpuSystemMs: number
    maxRssBytes: number
    memoryPeakBytes: number | null
    memoryLimitBytes: number | null
  } | null
  /**
   * All that the task has written to its streams is in its logs, and was still there at its end. False when
   * some of it was rotated away or could not be written, and when that is not known.
   */
  logsComplete: boolean
  /** How often limits held it up. */
  limitsHit: LimitsHit
  /** exitCode === 0 && signal === null && error === null */
  successful: boolean
}

/**
 * How often limits held the task up. Each is null where nobody counts it: without a cgroup of that
 * controller, where the task was lost, and for an exec session without limits of its own, whose counters are
 * its task's.
 */
export interface LimitsHit {
  /** Processes that the kernel killed for memory. */
  oomKills: number | null
  /** Forks that were refused for `pids`. */
  pidsRefused: number | null
  /**
   * How often its memory came up against a bound and had to be given back. On v2 `high` and `max` of
   * memory.events; on v1 memory.failcnt and memory.memsw.failcnt, of which a zero is not believed.
   */
  memoryHigh: number | null
  /** Milliseconds for which its processes were kept from running by `cpuLimit`. */
  throttledMs: number | null
  /** Connections that its network rules refused. */
  egressDenied: number | null
  /**
   * Bytes that it wrote and that are not in its logs: rotated away, or there was no room, or (`'collected'`)
   * no collector. Null for what it writes itself.
   */
  logBytesDropped: number | null
}

/** One requested limit or isolation, and what became of it. */
export interface Enforcement {
  /** A field of Resources (`memoryBytes`) or an isolation (`namespace.pid`, `seccomp`, `user`, ...). */
  name: string
  /** Whether it is a field of Resources or a wall between the task and the rest. */
  kind: 'limit' | 'isolation'
  /** What was asked for, as text. */
  requested: string
  /**
   * As asked for; less than asked for; not at all. Under `strict` the last two refuse the start unless
   * `chosen`.
   */
  status: 'enforced' | 'weakened' | 'skipped'
  /** Why it is not enforced in full; null when it is. */
  reason: string | null
  /** What would change it, a command where there is one; null when it is enforced. */
  hint: string | null
  /**
   * The caller, or a documented default, wants it so. False where this host falls short of what was asked
   * for.
   */
  chosen: boolean
}

/** A row of `enforcement`, and what was read back from the kernel for it. */
export interface VerifiedRow extends Enforcement {
  /**
   * `holds`: what is in force is at least as strict as the row says; `differs`: it is not; `unread`: the
   * kernel knows, and whoever asks may not know it; `unverifiable`: nothing in the kernel says it, or the row
   * claims nothing.
   */
  verdict: 'holds' | 'differs' | 'unread' | 'unverifiable'
  /** What was found, in words, or why nothing was; null when there is nothing to tell. */
  inForce: string | null
  /**
   * The same by what the shim read of the process just before its exec (enforced.json); null: it has read
   * nothing, or the row is one that an update has added or changed since.
   */
  atStart: { verdict: VerifiedRow['verdict']; inForce: string | null } | null
}

/** What was asked for a task, and what is in force. */
export interface Verification {
  /**
   * The worst of the rows, now or at the start: one that `differs`, else one that is `unread` now, else
   * `holds`.
   */
  verdict: 'holds' | 'differs' | 'unread'
  /** Read from the kernel now. False: the task has ended, and the rows say what was read at its start. */
  live: boolean
  /** One for each of `enforcement`. */
  rows: readonly VerifiedRow[]
}

/**
 * A sample of what the task uses. What cannot be known is null, never 0. usage() rejects INVALID_STATE unless
 * the task is running or stopping. Figures are of the task's cgroup with all in it. Without one, processor
 * time, memory and pids are sums over the processes that live now, and the rest is null.
 */
export interface Usage {
  /** When it was taken. */
  at: Date
  /** Milliseconds of processor time since the start, user and kernel mode together. */
  cpuMs: number | null
  /**
   * Per cent of one core since the previous sample of the same executor: 200 is two cores. Null for the
   * first.
   */
  cpuPercent: number | null
  /**
   * Bytes in use now: v2 memory.current, v1 memory.usage_in_bytes, page cache included; without a cgroup
   * resident sets.
   */
  memoryBytes: number | null
  /** The highest number of bytes in use so far: v2 memory.peak (Linux 5.19), v1 memory.max_usage_in_bytes. */
  memoryPeakBytes: number | null
  /** The limit in bytes that the kernel holds it to; null where there is none. */
  memoryLimitBytes: number | null
  /** Its processes and threads; without a cgroup its processes. */
  pids: number | null
  /** Bytes read from block devices since the start. */
  ioReadBytes: number | null
  /** Bytes written to block devices since the start. */
  ioWriteBytes: number | null
  /** Milliseconds since the start for which `cpuLimit` kept its processes from running. */
  throttledMs: number | null
  /**
   * How long the task's processes waited for what they lack (PSI, the kernel's accounting/psi.rst). Null
   * without cgroup v2 and CONFIG_PSI.
   */
  pressure: { cpu: Pressure | null; memory: Pressure | null; io: Pressure | null } | null
}

/**
 * Parts of what `Usage` sums up, of the task's cgroup. What cannot be known is null; without a cgroup all of
 * them.
 */
export interface UsageDetail {
  /** When it was read. */
  at: Date
  /** Milliseconds in user mode since the start: v2 cpu.stat `user_usec`, v1 cpuacct.usage_user. */
  cpuUserMs: number | null
  /** Milliseconds in kernel mode since the start: v2 cpu.stat `system_usec`, v1 cpuacct.usage_sys. */
  cpuSystemMs: number | null
  /** Periods in which `cpuLimit` kept it from running: cpu.stat `nr_throttled`. */
  throttledPeriods: number | null
  /** Bytes that belong to no file: memory.stat `anon` (v2), `total_rss` (v1). */
  anonBytes: number | null
  /** Bytes of the page cache, tmpfs among them: memory.stat `file` (v2), `total_cache` (v1). */
  fileBytes: number | null
  /** Bytes of the kernel on its behalf: memory.stat `kernel` (v2, Linux 5.18), memory.kmem.usage_in_bytes. */
  kernelBytes: number | null
  /** Bytes swapped out: memory.swap.current (v2), memory.stat `total_swap` (v1). */
  swapBytes: number | null
}

/**
 * `some`: at least one of its processes waited; `full`: all of them did at once. Null where the kernel does
 * not say.
 */
export type Pressure = {
  /** Per cent of the last ten seconds. */
  somePercent: number | null
  fullPercent: number | null
  /** Milliseconds since the start. */
  someMs: number | null
  fullMs: number | null
}

/** What a task's network rules have said of one connection that it wanted. */
export interface EgressDecision {
  at: Date
  /** A name, or an address as text. */
  host: string
  port: number
  /** False: it was refused. True says nothing of whether the connection came about. */
  allowed: boolean
}

/** An entry of a workspace with `overlay` that the task has made, changed or removed. */
export interface Change {
  /** From the workspace on, without a leading slash. What is no UTF-8 has U+FFFD in it. */
  path: string
  /** A directory that was deleted stands for all in it; of one that was added each entry is told. */
  kind: 'added' | 'changed' | 'deleted'
  /**
   * What it is now; of what was deleted, what it was. `other`, a FIFO, a socket or a device, is never put in
   * place, and what is there on the host stays.
   */
  type: 'file' | 'directory' | 'link' | 'other'
  /** Permission bits. Set-user-ID, set-group-ID and sticky bits are neither told nor put in place. */
  mode: number
  /** Bytes of a file; else null. */
  sizeBytes: number | null
  /** What a link says: it may lead out of the workspace. Else null. */
  target: string | null
  /** It has changed on the host, too, since the task began: apply() refuses it. */
  conflict: boolean
}

export interface PatchOptions {
  /**
   * These entries and what lies in them, from the workspace on, as in Change; 1 MiB of names at most.
   * Default: all.
   */
  paths?: string[]
  /** Bytes of a file on either side, 1 to 8 MiB: a larger one has no patch. Default 1 MiB. */
  maxFileBytes?: number
}

/** A file or link in a workspace with `overlay` that the task has made, changed or removed. */
export interface FilePatch {
  /** What changes() tells of it, and of each file in a deleted directory, too. */
  change: Change
  /**
   * What Git writes of it, from what is on the host now to what the task has: bytes that `git apply` and
   * `patch -p1` take. The file's own bytes are in it, control characters and all; its name is quoted. Null
   * where that does not hold it.
   */
  patch: Uint8Array | null
  /**
   * Why not: it has a NUL byte in it; it is larger than `maxFileBytes`; it cannot be read; it is a FIFO, a
   * socket or a device, or one is on the host; nothing differs but permission bits that Git does not know.
   */
  omitted: 'binary' | 'large' | 'unreadable' | 'special' | 'mode' | null
}

export interface ApplyOptions {
  /** Also where the host's has changed meanwhile, which is lost then. Default false. */
  force?: boolean
}

/** Limits to change, and for a task that has network rules, other rules, which replace them. */
export type TaskUpdate = Resources & { network?: { allow: string[] } }

/** One line of a task's journal. It holds nothing of the environment or the arguments. */
export interface HistoryEntry {
  /** The number of a change of state, as in `transitions$`; null for an event that changes none. */
  sequence: number | null
  /** When it happened, as far as it is known; else when it was found out. */
  at: Date
  from: TaskState
  to: TaskState
  /**
   * What has led to it: `LIMIT`, `START`, `launch done`, `launch failed`, `STOP`, `KILL`, `EXITED`; `SIGNAL`,
   * `stop failed`, `input failed` and `EGRESS` change no state.
   */
  event: string
  /**
   * Of `launch done`: milliseconds from the call of start() until the program had been exec'ed, as far as the
   * one who wrote it has started it.
   */
  tookMs?: number
  /** What was asked for, or what has ended it. */
  signal?: NodeJS.Signals | null
  /** Of `STOP`: milliseconds until the whole tree is killed. */
  graceMs?: number
  /** These four of `EXITED` and `launch failed`: as in WaitResult. */
  cause?: Cause
  exitCode?: number | null
  evidence?: 'record' | 'inferred'
  oomKilled?: boolean
  failure?: { code: FailureCode; stage?: string; errno?: string }
  /** These three of `EGRESS`: as in EgressDecision. */
  host?: string
  port?: number
  allowed?: boolean
}

export interface LogOptions {
  /** Go on until the task has ended and everything is read. */
  follow?: boolean
  /** From the first byte that is still kept (default), or only what comes from now on. */
  fromStart?: boolean
  /** The last N lines, then on. Looks back 16 MiB at most. */
  tail?: number
  /** Only what came at this time or later, as far as that is known: of `logs: 'plain'` it is not. */
  since?: Date
  /** Of `output$`: one stream only, with its times. */
  only?: 'stdout' | 'stderr'
}

/** A piece of what a task has written, as it came. */
export interface OutputChunk {
  stream: 'stdout' | 'stderr'
  /** When the task's shim has taken it; when it was read, where `unordered`. */
  at: Date
  bytes: Uint8Array
  /**
   * Nobody has noted when this came, and where among the other stream's: only its own stream's order is
   * known. So it is for `logs: 'plain'`, for what an earlier task has left in the same log, and for what is
   * older than the notes that are kept.
   */
  unordered?: true
  /**
   * So many bytes of its stream before these were rotated away before they could be read: the reader is too
   * slow, and `logs` too small.
   */
  lost?: number
}

export interface StartOptions {
  /** Aborted, it stops the task as shutdown() does. */
  signal?: AbortSignal
}

export interface ShutdownOptions {
  /** Default SIGTERM. */
  signal?: NodeJS.Signals
  /** Milliseconds before the whole tree is killed. Default 5000. */
  graceMs?: number
  /**
   * Who gets the first signal: the process group that the program leads (default), or that program alone,
   * which then stops what it has started itself. What is left of the tree when it has ended, or when the
   * grace is over, is killed either way.
   */
  target?: StopTarget
}

export type StopTarget = 'group' | 'leader'

export interface Executor {
  /** Names the task in its state directory, in streams and on the command line. */
  readonly key: string
  /** For people: from configureTaskDir, else the program's. */
  readonly name: string
  readonly command: Command
  /**
   * Sets the limits. Before start; a second call replaces the first. What exec() starts takes memory, pids
   * and cpu (a share of the task's), rlimits, time and output. Rejects INVALID_ARGUMENT, INVALID_STATE.
   */
  limit(resources: Resources): Promise<void>
  /**
   * Chooses the task's directory in a built allocation. Before start. Rejects NOT_FOUND for an unknown task.
   */
  configureTaskDir(taskName: string, alloc: AllocDir): Promise<void>
  /**
   * Resolves when the user's command has been exec'ed. Rejects with a HoldfastError that names the stage, or
   * with the reason of `signal` when that was aborted before the exec: then nothing of the task is left
   * running.
   */
  start(options?: StartOptions): Promise<void>
  /** Takes over a task by its id. On a fresh executor only. Rejects NOT_FOUND, STATE_CORRUPT. */
  open(id: string): Promise<void>
  /** Opaque; throws INVALID_STATE until started. */
  id(): string
  /** Any number of callers, before or after the exit. */
  wait(): Promise<WaitResult>
  /**
   * Graceful, then force. Resolves when nothing of the task is left; rejects LOST, naming the survivors,
   * otherwise.
   */
  shutdown(options?: ShutdownOptions): Promise<WaitResult>
  /** Kills the whole process tree now. */
  forceStop(): Promise<WaitResult>
  readonly state: TaskState
  /** The current value first, then every change; completes after `exited`. */
  readonly state$: Observable<TaskState>
  /** One row per requested limit or isolation. Known once started. */
  readonly enforcement: readonly Enforcement[]
  /** The XState actor, for inspectors. Asking makes one, also for a task that has ended. */
  readonly actor: AnyActorRef
  /** What the machine knows of the task: plain data, without an actor for one that has ended. */
  readonly context: TaskContext
  /**
   * Sends a signal to the program. Rejects INVALID_ARGUMENT for an unknown one, INVALID_STATE when it does
   * not run.
   */
  signal(signal: NodeJS.Signals): Promise<void>
  /**
   * Tells the task of another size of its terminal. Does nothing where it has none. Rejects INVALID_ARGUMENT,
   * INVALID_STATE.
   */
  resize(size: TerminalSize): Promise<void>
  /**
   * A way into the standard input of a task whose `stdin` is `'attach'`, or that has a terminal; for this
   * supervisor and any other, any number at once. It outlives all of them: to end the stream is to let go,
   * and the task sees no end. Pieces of up to 4096 bytes are kept whole. Bytes wait while the task reads
   * none. Throws UNSUPPORTED where its input was not left open, INVALID_STATE when it does not run, or has
   * been told the end.
   */
  openInput(): Writable
  /**
   * The task reads to the end of what has been written to openInput() by now, and then the end. At a terminal
   * that is typed, as Ctrl-D, and it stays open.
   * Rejects as openInput() throws.
   */
  endInput(): Promise<void>
  /**
   * Changes those limits of a running task that are named, all of them or none, and its network rules.
   * Connections that are there stay. Rejects INVALID_ARGUMENT (also for rules where the task has none),
   * INVALID_STATE, LIMIT_FAILED.
   */
  update(change: TaskUpdate): Promise<void>
  /** A sample now. Rejects INVALID_STATE when it does not run. */
  usage(): Promise<Usage>
  /**
   * Who spent the processor time, and what the memory is. Apart from usage(), since the kernel adds it up
   * anew for each reader. Rejects INVALID_STATE when it does not run.
   */
  usageDetail(): Promise<UsageDetail>
  /**
   * A sample now and every `intervalMs` (10 or more; default 1000); completes when the task has ended.
   * Streams of one supervisor share their samples.
   */
  usage$(intervalMs?: number): Observable<Usage>
  /**
   * Reads back from the kernel what is in force of the task, and compares it with `enforcement`: of its
   * leader (user, groups, capabilities, namespaces, root, filter, rlimits) and its cgroups. What the task has
   * given up since is no difference. Changes nothing. Rejects INVALID_STATE before the start, LOST,
   * STATE_CORRUPT.
   */
  verify(): Promise<Verification>
  /**
   * What the task has changed in its workspace, where that has `overlay`, compared with what is there now; of
   * a running task as far as it has come. Nothing is touched. Rejects INVALID_STATE before the start and for
   * a task without, STATE_CORRUPT, PERMISSION.
   */
  changes(): Promise<Change[]>
  /**
   * The same file by file as patches, in the order of the file system but with what is removed before what
   * takes its place; of directories none. Files are read as they are asked for, by no link and no special
   * file; of one that takes longer than 100 ms to compare what differs is shown as replaced. Throws
   * INVALID_ARGUMENT and INVALID_STATE before the start; the iteration rejects as changes() does.
   */
  patches(options?: PatchOptions): AsyncIterableIterator<FilePatch>
  /**
   * Puts the changes of an ended task in place, each file in one step, and resolves to them; afterwards they
   * are changes no more. Links are put there as they are; contents, permission bits and times of files are
   * taken over, and nothing else of them. Rejects INVALID_STATE, naming the files, when one has changed on
   * the host since the task began and there is no `force`: then nothing was put in place; PERMISSION, and
   * INVALID_STATE while the task runs. After a failure half-way it can be called again.
   */
  apply(options?: ApplyOptions): Promise<Change[]>
  /**
   * The bytes of a log, in order, across its rotations, none of them twice. A reader that falls behind by
   * more than what is kept goes on with the oldest that is. Nobody who reads holds up the task. One who
   * follows is at the end when the task is, or when the supervisor is closed.
   */
  logs$(stream: 'stdout' | 'stderr', options?: LogOptions): Observable<Uint8Array> & AsyncIterable<Uint8Array>
  /**
   * Both streams in the order in which the task's shim has read them, with times, across rotations. Two
   * pieces that came within the same few microseconds may change places. `tail` counts the lines of both.
   * Like logs$ it can be iterated (`for await`, `Readable.from`), at the reader's own pace and in bounded
   * memory, where to subscribe is to be told as fast as it can be read.
   */
  output$(options?: LogOptions): Observable<OutputChunk> & AsyncIterable<OutputChunk>
  /**
   * What its network rules have decided (`network: { allow }`), from the first decision that is kept (2 MiB
   * of them are), then live; complete when the task has ended. Nothing comes for a task without rules.
   */
  readonly egress$: Observable<EgressDecision> & AsyncIterable<EgressDecision>
  /**
   * A second command inside the running task's limits and isolation, to be started. Its command is the
   * task's, without program and streams, and `logs` has the task's `maxBytes` and `maxFiles`, or the default.
   * Throws INVALID_STATE when the task does not run.
   */
  exec(name: string, ...args: string[]): Executor
  /** Idempotent; leaves no process, cgroup, mount or state behind. */
  destroy(): Promise<void>
  /** destroy(), for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What run() takes: any field of the command, and these. */
export type RunOptions = Partial<Command> & {
  limits?: Resources
  /**
   * Aborted before the exec, run() rejects with its reason; later the task is shut down, which is its result.
   */
  signal?: AbortSignal
  /** What the program reads from its standard input, to its end. Default: nothing. */
  input?: string | Uint8Array | Readable
  /** How the task is stopped when `signal` is aborted. Default: as the supervisor's own option says. */
  shutdown?: ShutdownOptions
  /**
   * Bytes of each stream that are kept in memory for the result; what is more is left out, and `truncated`
   * says so. Default 16 MiB.
   */
  maxOutputBytes?: number
  /** Leave its records and logs, to be destroyed by the caller. Default false: it is destroyed at its end. */
  keep?: boolean
  /**
   * For code that nobody vouches for: a user of its own, no network, 1024 processes and open files, no core
   * dumps, 256 MiB in `/tmp`, 1 GiB in `/local` and `/alloc` (`diskBytes`; 384 MiB in memory where that
   * cannot be had), and strict. What the other options say goes before it; `pids: Infinity` and
   * `diskBytes: Infinity` in `limits` take those limits away. Default false.
   */
  untrusted?: boolean
}

export type RunResult = WaitResult & {
  stdout: string
  stderr: string
  /** Both, in the order in which they came. */
  output: string
  /**
   * Something was written that is not in here: more than `maxOutputBytes`, or faster than it could be read.
   */
  truncated: boolean
}

/** A line of what a program writes, without its newline. */
export type OutputLine = {
  stream: 'stdout' | 'stderr'
  /** When its first byte came. */
  at: Date
  line: string
}

/**
 * A program that runs: a promise of its result, and its output meanwhile. A program that fails is a result; a
 * start that fails rejects. The result waits for who has begun to read the output.
 */
export interface RunningTask extends Promise<RunResult> {
  readonly task: Executor
  /** One of its streams, at the reader's own pace. */
  readonly stdout: Readable
  readonly stderr: Readable
  /** The lines of both, in order, from the first, each time. */
  [Symbol.asyncIterator](): AsyncIterator<OutputLine>
  /** Destroys the task, also while it runs. */
  [Symbol.asyncDispose](): Promise<void>
}
