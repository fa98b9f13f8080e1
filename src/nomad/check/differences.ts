/** What is otherwise under holdfast than under `exec`. docs/nomad.md has the same rows. */
export type Difference = {
  readonly what: string
  readonly exec: string
  readonly holdfast: string
  readonly why: string
  /** Whether a job file shows it, so that the check tells of it where it matters. */
  readonly shown: boolean
}

export const differences: readonly Difference[] = [
  {
    what: 'capabilities',
    exec: 'thirteen by default, as far as `allow_caps` has them; for root nearly all that there are',
    holdfast: 'none; `cap_add` gives what `allow_capabilities` has',
    why: 'what a program needs can be named',
    shown: true,
  },
  {
    what: '`user = "root"`',
    exec: 'refused by `user.denylist` of the client, which has it unless that is changed; else allowed',
    holdfast: 'refused unless `allow_root`',
    why: 'root of the node is one mistake away',
    shown: true,
  },
  {
    what: 'the group of a task',
    exec: "root's, whoever its user is",
    holdfast: "its user's, with the others that it is in",
    why: 'files that only the group root may read are not for everybody: a `template` has `perms`, `uid`, `gid`',
    shown: true,
  },
  {
    what: '`pid_mode = "host"`',
    exec: 'allowed',
    holdfast: 'refused',
    why: 'all of a task is ended through its own processes',
    shown: true,
  },
  {
    what: '`ipc_mode = "host"`',
    exec: 'allowed',
    holdfast: 'refused unless `allow_ipc_host`',
    why: "other tasks' shared memory",
    shown: true,
  },
  {
    what: '`propagation_mode` of a volume, `csi_plugin`',
    exec: 'all three modes',
    holdfast: '`private` only; a CSI plugin is refused',
    why: "a task's mounts are its own",
    shown: true,
  },
  {
    what: 'the root',
    exec: "system directories in each task's directory, linked to the node's own files where one file system has both, else copied, `/etc/shadow` too: with its default capabilities any task may read and overwrite them; `chroot_env` of the client; its own state in `alloc/container`",
    holdfast: "the node's system directories, read-only; `chroot_env` is not used",
    why: 'nothing is copied, and nothing of the node can be written',
    shown: false,
  },
  {
    what: '`/sys`',
    exec: "the node's, read-only; nothing in `/sys/fs/cgroup`",
    holdfast: "nothing but `/sys/fs/cgroup`, with the task's own cgroups, read-only",
    why: "a program finds its own limits, and not the node's devices",
    shown: false,
  },
  {
    what: '`/alloc/logs` in a task',
    exec: 'every task of the allocation may write there',
    holdfast: 'read-only',
    why: "no task forges or erases logs, its own or a neighbour's",
    shown: false,
  },
  {
    what: '`artifact`, `template` outside of `local/`, `secrets/`, `tmp/`, `alloc/`',
    exec: 'written where they say, and may be overwritten',
    holdfast:
      'there, read-only; in `etc/`, `usr/` and other directories of the node among its own files; in `dev/`, `proc/` and `sys/` refused',
    why: 'nothing of the root can be written',
    shown: true,
  },
  {
    what: "the agent's environment",
    exec: 'passed on, but for `env.denylist` of the client',
    holdfast: 'nothing of it; `PATH` is the usual one',
    why: "an agent's variables are not a job's: put them into `env`",
    shown: false,
  },
  {
    what: 'a device',
    exec: 'under any name, to read, to write or both',
    holdfast: 'under its own name, to read and to write; else refused',
    why: "it is a node of the task's own /dev",
    shown: true,
  },
  {
    what: 'a stop',
    exec: 'the leader gets the signal; the rest is killed with it',
    holdfast: 'the same; or all get it, by `stop_signal_target`',
    why: 'some programs have no leader that passes it on',
    shown: false,
  },
  {
    what: '`alloc exec` of a program that is not there',
    exec: 'an error of the agent',
    holdfast: 'the reason on standard error, exit code 127 (126 where it cannot be run)',
    why: 'as a shell has it',
    shown: false,
  },
  {
    what: 'the least memory of a task',
    exec: 'about 14 MiB, on cgroup v1: its own first process is in the cgroup, and with less none starts',
    holdfast: 'what the program needs',
    why: 'the shim is outside of the cgroup',
    shown: false,
  },
  {
    what: 'the event of a start that fails',
    exec: '`Driver Failure:` and the reason',
    holdfast: '`Driver Failure: rpc error: code = FailedPrecondition desc =` and the reason',
    why: "so Nomad's client shows what any driver says that is not built into it",
    shown: false,
  },
  {
    what: "the agent and the task's executor are killed",
    exec: 'the next agent cannot find the task, and starts its program a second time',
    holdfast: 'the next agent finds it, or its exit code; it runs once',
    why: "a task's shim belongs to neither",
    shown: false,
  },
  {
    what: 'the `java` driver',
    exec: '`jar_path`, `class`, `class_path`, `jvm_options`',
    holdfast: '`command = "java"` and `args`',
    why: 'one way to say what is run; `nomad-check` writes it out',
    shown: true,
  },
  {
    what: 'the `raw_exec` driver',
    exec: "no isolation, the agent's user, its environment and its files",
    holdfast: 'as any other task',
    why: 'what it needs of the node can be lent by `mount`',
    shown: true,
  },
]
