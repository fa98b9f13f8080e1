import type { ProcessIdentity } from '../../machines/index.ts'
import type { LogRotation } from '../api.ts'
import type { ScalarSpec } from './scalars.ts'

/**
 * What a shim is told: everything about one task that must be decided before it is forked. TypeScript
 * decides, the shim only carries out. `wire.ts` encodes it for the native program; the portable shim reads it
 * as JSON.
 */
export type LaunchSpec = ScalarSpec & {
  /** The task's directory (absolute, made, 0700): records and FIFOs go here. */
  readonly dir: string
  /**
   * The program as the task sees it. The native program looks a bare name up on the PATH in `env`, as the
   * task sees that too.
   */
  readonly path: string
  /** argv, the program's own name first. */
  readonly argv: readonly string[]
  /** `NAME=value` */
  readonly env: readonly string[]
  /** As the task sees it. */
  readonly cwd: string
  readonly umask: number
  /** Null keeps the spawner's. `groups` are the supplementary ones. */
  readonly credentials: {
    readonly uid: number
    readonly gid: number
    readonly groups: readonly number[]
  } | null
  readonly stdin: FileTarget
  /**
   * In place of `stdin`: the FIFO `input` in `dir`, which the shim makes and holds, so that whoever may write
   * there feeds the task. Absent: not.
   */
  readonly stdinOpen?: boolean
  readonly stdout: FileTarget
  readonly stderr: FileTarget
  /** Whose descriptors `fd:N` means. Absent: those of the process that started the spawner. */
  readonly donor?: ProcessIdentity
  /**
   * Stdin, stdout and stderr are one pseudo-terminal, which reads from `stdin` and from the FIFO `input`, and
   * writes to `stdout`. Absent or null: there is none.
   */
  readonly terminal?: Terminal | null
  /**
   * The shim carries what the task writes into its log files, and rotates them. Null: the task writes them
   * itself.
   */
  readonly logRotation: Readonly<LogRotation> | null
  /** What goes to a FIFO goes through the shim, so that no task waits for a collector that is gone. */
  readonly collected?: boolean
  /** Of these streams the task writes the file itself all the same. Absent: of none. */
  readonly plainLogs?: readonly ('stdout' | 'stderr')[]
  readonly rlimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
  /** Milliseconds from exec to a stop with reason `timeout`; null for none. */
  readonly wallTimeMs: number | null
  /**
   * Bytes that the streams which the shim carries may give together; more is a stop with reason `output`.
   * Null: no limit.
   */
  readonly outputBytes: number | null
  /** Milliseconds between such a stop and SIGKILL. */
  readonly graceMs: number
  /** fdatasync the exit record before it gets its name. */
  readonly durable: boolean
  /**
   * A FIFO: when nobody holds its write end (any more), the task is killed at once. Null: the task needs
   * nobody.
   */
  readonly lifeline: string | null
  /** In order; the first one's membership says whether the task is dead. */
  readonly cgroups: readonly CgroupSpec[]
  /**
   * Cgroups that update() may make while the task runs. The shim never makes them, and removes those that are
   * there at the end. An exec session joins those that are there.
   */
  readonly deferredCgroups?: readonly string[]
  /** The file whose `oom_kill` line counts OOM kills, or null. */
  readonly oomFile: string | null
  /**
   * Who dies when memory is out in a v1 cgroup: all of the task, which is the shim's to do, or whom the
   * kernel picks. Absent or null: it is not the shim's.
   */
  readonly oom?: 'task' | 'process' | null
  /** v1 freezer directory of the task for killing without a pid namespace, or null. */
  readonly freezer: string | null
  /**
   * It is to run inside a task that runs already: `cgroups` are then that task's (`external`), which are only
   * joined, and its own below those.
   */
  readonly inside?: InsideSpec | null
  /** Namespaces to unshare. */
  readonly namespaces: readonly ('mount' | 'pid' | 'ipc' | 'uts' | 'cgroup' | 'network')[]
  /** A network namespace to join instead, by path. */
  readonly networkPath: string | null
  /**
   * What the task reaches through a forwarder at this port of its loopback (needs `network`): rules of
   * destinations.ts. Null: no forwarder.
   */
  readonly egress: { readonly port: number; readonly rules: readonly string[] } | null
  readonly hostname: string | null
  /** Mount operations that build a new root (needs `mount`); empty keeps the host's. */
  readonly root: readonly MountOp[]
  /**
   * How many of the first ones are the same for many tasks, so that they may be put together once and shared,
   * read-only. Those after them must find their mount points made. Only `dir`, `symlink`, `node` and
   * read-only binds without a base can be; 0: none.
   */
  readonly rootShared: number
  /** What the operation `secrets` of the root puts there. Never stored, and wiped once the task has them. */
  readonly secrets?: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  /** Capability numbers to keep; null leaves them alone. */
  readonly capabilities: readonly number[] | null
  readonly noNewPrivileges: boolean
  /**
   * Before exec the shim says that it has read back what is in force, and waits that long for `go`, or
   * refuses the start. Absent or null: it does not.
   */
  readonly holdMs?: number | null
  readonly seccomp: boolean
  /**
   * In a network that is not its own: the task makes no sockets but those of unix and netlink, and binds and
   * connects no TCP socket that it is handed, where the kernel can (Landlock 4). Absent: false.
   */
  readonly offline?: boolean
  /**
   * What Landlock restricts: with rules, the task opens nothing else; scopes keep signals, and connections to
   * abstract sockets, among its own processes where the kernel can. Absent or null: nothing but what keeps
   * tasks out of each other's memory.
   */
  readonly landlock?: {
    readonly rules: readonly LandlockRule[]
    readonly scopes: readonly ('signal' | 'abstract')[]
  } | null
}

/**
 * A file or directory as the task sees it, with all that lies beneath it. Without links in its path. `list`:
 * directories; `read`: and files, also to execute; `device`: to read, write and control; `write`: everything.
 */
export type LandlockRule = {
  readonly at: string
  readonly access: 'list' | 'read' | 'device' | 'write'
}

type Terminal = { readonly rows: number; readonly columns: number }

type InsideSpec = {
  /** The FIFO `alive` of the task: what runs inside is killed when its shim is gone. */
  readonly alive: string
  /** Whose namespaces and root are entered. Null: none are. */
  readonly leader: ProcessIdentity | null
  /** PID 1 of the task's pid namespace, if it has one. */
  readonly init: ProcessIdentity | null
}

/**
 * A file of the host. With `base`, `path` is relative and is resolved beneath it without following any link,
 * and must be a plain file: a task may own what lies there, and the shim may be root. Without, it is the
 * orchestrator's own absolute path, or `fd:N`, a descriptor of the donor's.
 */
export type FileTarget = { readonly base: string | null; readonly path: string }

export type CgroupSpec = {
  readonly dir: string
  /**
   * Somebody else has made it, perhaps for several tasks: it is joined and written to, but never made,
   * emptied or removed.
   */
  readonly external?: boolean
  /** Written in order after mkdir, before the task joins. `optional` ones may fail. */
  readonly files: readonly { readonly name: string; readonly value: string }[]
}

type Ids = { readonly uid: number; readonly gid: number }

/** Paths `at` are inside the new root, absolute, without `..`; parents are made. */
export type MountOp =
  | { readonly op: 'dir'; readonly at: string; readonly mode: number }
  | { readonly op: 'symlink'; readonly to: string; readonly at: string }
  /** A bind of a host path (file or directory), recursively. */
  | {
      readonly op: 'bind'
      readonly source: string
      /**
       * A directory that `source` begins with and beneath which no link is followed: a task may own what lies
       * there.
       */
      readonly base: string | null
      readonly at: string
      readonly readOnly: boolean
      readonly devices: boolean
      /**
       * What belongs to its owner appears as the user's, and the other way round; absent: as it is. One bind
       * of a launch at most, or overlay.
       */
      readonly map?: { readonly owner: Ids; readonly user: Ids }
    }
  /**
   * A copy-on-write view of a host directory: what is changed there goes to `state`, a directory of the
   * overlay's own, made where it is missing. `map` as that of a bind.
   */
  | {
      readonly op: 'overlay'
      readonly source: string
      readonly state: string
      readonly at: string
      readonly map?: { readonly owner: Ids; readonly user: Ids }
    }
  /**
   * What the directory `source` of the host has and `at`, a directory of the root made before, has not: each
   * entry read-only at a place of its own, links as they are.
   */
  | { readonly op: 'entries'; readonly source: string; readonly at: string }
  | { readonly op: 'tmpfs'; readonly at: string; readonly sizeBytes: number; readonly mode: number }
  | { readonly op: 'proc'; readonly at: string }
  /** The POSIX message queues of the task's IPC namespace. */
  | { readonly op: 'mqueue'; readonly at: string }
  /** Terminals of the task's own, which belong to this group; null: to that of whoever opens one. */
  | { readonly op: 'pts'; readonly at: string; readonly gid: number | null }
  /**
   * A read-only file over what is there: a copy of `source` (null: nothing), then `text`. It lies in the last
   * tmpfs before it, which something else should cover, and belongs to the shim's user.
   */
  | { readonly op: 'file'; readonly at: string; readonly source: string | null; readonly text: string }
  /** The launch's `secrets`, in memory that is never swapped: files of the task's user, 0400, read-only. */
  | { readonly op: 'secrets'; readonly at: string }
  /** A character device node. */
  | { readonly op: 'node'; readonly at: string; readonly major: number; readonly minor: number }
  /** Hides a file (by /dev/null) or a directory (by an empty read-only tmpfs); absent is fine. */
  | { readonly op: 'mask'; readonly at: string }
  /**
   * Makes read-only, each by a mount of its own, the programs beneath it that run with their owner's rights
   * (set-user-ID, set-group-ID, file capabilities). Looks at every file there.
   */
  | { readonly op: 'freeze'; readonly at: string }
  /** Makes what is there read-only; absent is fine. */
  | { readonly op: 'readonly'; readonly at: string }
