/**
 * What would mend what the system refused, by what was being done (a stage of a start, or one of the last
 * rows) and errno; undefined where nothing useful can be said.
 */
export function hintFor(stage: string, errno: string | undefined): string | undefined {
  const ofStage = Object.hasOwn(hints, stage) ? hints[stage] : undefined
  return ofStage?.[errno ?? ''] ?? ofStage?.['*']
}

const descriptors = 'Raise the limit on open files (ulimit -n, LimitNOFILE) of the program that starts tasks.'
const full = 'Free space on the file system of the state directory, or choose another with --state-dir.'
const readOnly = 'Choose a state directory on a writable file system (--state-dir, HOLDFAST_STATE_DIR).'
const needsRoot = 'Run as root, or leave this isolation out; `holdfast doctor` shows what this host allows.'
const noController =
  'This kernel or this cgroup does not offer the controller or file; `holdfast doctor` shows what it would take.'
const changedByRoot = 'Only the user who may write to the cgroup can change it: root, usually.'
const processes =
  'The limit on processes is reached: ulimit -u, pids.max of a surrounding cgroup, or kernel.pid_max.'

/** `*` stands for any errno of the stage that has no row of its own. */
const hints: Record<string, Record<string, string>> = {
  request: { '*': 'The native program is of another version: run `npm rebuild holdfast`.' },
  fork: { EAGAIN: processes, ENOMEM: 'The host is short of memory.' },
  record: {
    ENOSPC: full,
    EDQUOT: full,
    EROFS: readOnly,
    EACCES: readOnly,
    EMFILE: descriptors,
    ENFILE: descriptors,
    ENOSYS:
      'Tasks are reached through FIFOs, which the native program or mkfifo(1) makes: install mkfifo (coreutils, busybox), or see `holdfast doctor` for the native program.',
    EEXIST: 'The task directory belongs to another run: start the task under a new executor.',
  },
  log: {
    ELOOP: 'A symbolic link lies where the log file should be; remove it. Links are never followed there.',
    ENOENT: 'The directory of the log file does not exist: build the allocation first.',
    EISDIR: 'A directory lies where the log file should be.',
    EACCES: 'The log directory is not writable for the program that starts tasks.',
    ENOSPC: 'Free space on the file system of the logs.',
    EMFILE: descriptors,
    ENFILE: descriptors,
  },
  stdin: {
    ENOENT: 'command.stdin names a file that does not exist on the host.',
    EACCES: 'command.stdin names a file that cannot be read.',
  },
  cgroup: {
    EBUSY:
      'Processes of an earlier run are still in that cgroup, or it has children: `holdfast audit --fix` removes leftovers.',
    ENOENT: noController,
    EACCES:
      'The cgroup tree is not delegated to this user: run as root or in a delegated scope; see `holdfast doctor`.',
    EPERM:
      'The cgroup tree is not delegated to this user: run as root or in a delegated scope; see `holdfast doctor`.',
    EROFS: 'The cgroup file system is mounted read-only, as in an unprivileged container.',
    EINVAL:
      'The kernel does not take this value: check it against the cgroups around the task (cpuset, quota).',
    ENOSPC:
      'A cpuset needs processors and memory nodes before a task can join it: check cpuset against `nproc`.',
    EOPNOTSUPP:
      'The cgroup is of a kind that takes no processes (threaded, or a v2 domain with controllers enabled).',
  },
  limit: {
    EPERM:
      'Raising a hard limit, niceness below 0 or a lower oom_score_adj needs privileges (CAP_SYS_RESOURCE, CAP_SYS_NICE).',
    EACCES: 'Raising a limit needs privileges (CAP_SYS_RESOURCE, CAP_SYS_NICE).',
    EINVAL: 'The soft limit must not be above the hard one.',
  },
  namespace: {
    EPERM: needsRoot,
    EACCES:
      'An ordinary user’s running task can be entered only by the supervisor that has started it: its user namespace is that one’s.',
    ENOSPC: 'The limit on namespaces is reached: see /proc/sys/user/max_*_namespaces.',
    EUSERS: 'The limit on nested namespaces is reached.',
    EINVAL: 'This kernel was built without that kind of namespace.',
  },
  network: {
    EPERM: needsRoot,
    ENOENT: 'command.network.path must name a network namespace, such as /run/netns/NAME.',
    EINVAL: 'command.network.path does not name a network namespace.',
  },
  mount: {
    EPERM: needsRoot,
    EACCES: needsRoot,
    ENOENT: 'The source of a mount does not exist on the host.',
    ENOTDIR: 'Source and target of a mount must be of the same kind, both files or both directories.',
    ELOOP: 'A symbolic link lies on the way to a mount target; links are not followed there.',
    ENOSPC: 'The limit on mounts is reached: see /proc/sys/fs/mount-max.',
  },
  overlay: {
    ENODEV: 'This kernel has no overlayfs: modprobe overlay.',
    ENOSYS: 'An overlay takes Linux 5.12 or newer.',
    EPERM: 'An ordinary user may mount an overlay from Linux 5.11 on, where nothing else forbids it.',
    ENOSPC: full,
    '*': "An overlay takes a state directory on ext4, xfs, btrfs or tmpfs, not on another overlay such as a container's own root (--state-dir), and Linux 5.19 or newer where files of another user are shown as the task's.",
  },
  hostname: { EPERM: needsRoot, EINVAL: 'A hostname has at most 64 bytes.' },
  user: {
    EPERM: 'Only root may run a task as another user.',
    EINVAL: 'The user or group has no number in this user namespace.',
    EAGAIN: processes,
  },
  capabilities: {
    EPERM: 'A capability can only be kept by whoever has it.',
    EINVAL: 'This kernel does not know one of the capabilities.',
  },
  seccomp: {
    EACCES: 'A filter needs noNewPrivileges: true, or privileges.',
    EINVAL: "This kernel has no seccomp filters: set seccomp to 'off'.",
    ENOSYS: "This kernel has no seccomp filters: set seccomp to 'off'.",
  },
  chdir: {
    ENOENT: "command.cwd does not exist inside the task's root.",
    EACCES: "The task's user may not enter command.cwd: check the permissions of every directory above it.",
    ENOTDIR: 'command.cwd is not a directory.',
  },
  exec: {
    ENOENT:
      'There is no such program where the task looks for it; if there is, the interpreter named in its #! line or its dynamic loader is missing.',
    EACCES:
      "The file is not executable for the task's user, is a directory, or lies on a file system mounted noexec.",
    ENOEXEC: 'The file is no program for this machine; a script needs a #! line as its first.',
    E2BIG:
      'Arguments and environment together are over the kernel limit (a quarter of the stack limit), or one string is over 128 KiB.',
    ENOTDIR: 'A part of the path of the program is not a directory.',
    ELOOP: 'The path of the program runs in a circle of symbolic links.',
    ETXTBSY: 'The program file is open for writing: close it first.',
    EPERM: 'The file gains privileges that this task may not have.',
    ENOMEM: 'The memory limit is too small to load the program.',
    EAGAIN: processes,
    EISDIR: 'The interpreter of the program is a directory.',
    EINVAL: 'The file names more than one interpreter, or is a damaged program.',
  },
  spawner: {
    EAGAIN: 'No more processes are allowed; raise `ulimit -u` or the pids limit of this cgroup.',
    ENOMEM: 'Not enough memory to fork this process; free some or start tasks earlier.',
  },
  state: { EEXIST: 'A file lies where the directory should be.' },
  // Of no start.
  'reading a record': { EACCES: 'The state directory belongs to another user; run as that one.' },
  update: {
    EAGAIN: 'The task forks faster than its processes can be moved: limit `pids` when it is started.',
    EBUSY:
      'The task uses more than that, and the kernel cannot take it back: ask for more than usage() says, or stop the task.',
    EINVAL: 'Check the value against the cgroups around the task.',
    EACCES: changedByRoot,
    EPERM: changedByRoot,
  },
  anything: {
    EMFILE: 'This program has too many open files: raise its limit (ulimit -n, LimitNOFILE), or close some.',
    ENFILE: 'The system has too many open files; raise fs.file-max.',
    ENOMEM: 'There is not enough memory.',
    ENOSPC: 'The file system is full: remove finished tasks with `holdfast rm`, or free space.',
    EDQUOT: 'The disk quota is used up.',
    EFBIG: 'This program may not write files of this size: raise its limit (ulimit -f, LimitFSIZE).',
    EROFS: 'The file system is mounted read-only.',
    ENOTDIR: 'A component of the path is a file.',
    ENAMETOOLONG: 'The path is too long for the file system.',
    EIO: 'The disk fails.',
  },
}
