import { compiled } from '../attacks/hostile.ts'
import { ordinaryUid } from './ordinary-user.ts'

/** The capabilities that Docker, containerd and CRI-O leave to root. */
const usual = [
  ...['chown', 'dac_override', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap', 'net_bind_service'],
  ...['net_raw', 'sys_chroot', 'mknod', 'audit_write', 'setfcap'],
]

/** What they hide of /proc and /sys. A directory becomes an empty one, a file /dev/null. */
const hidden = [
  ...[
    'acpi',
    'asound',
    'interrupts',
    'kcore',
    'keys',
    'timer_stats',
    'latency_stats',
    'timer_list',
    'sched_debug',
    'scsi',
  ].map(name => `/proc/${name}`),
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]

const unwritable = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map(name => `/proc/${name}`)

const cgroups = (mode: 'ro' | 'rw') =>
  mode === 'rw'
    ? 'true'
    : `for m in $(awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) ~ /^cgroup2?$/) print $5 }' /proc/self/mountinfo); do mount --bind $m $m && mount -o remount,bind,ro $m || exit 1; done`

const covered = [
  `for p in ${unwritable.join(' ')}; do test ! -e $p || { mount --bind $p $p && mount -o remount,bind,ro $p; } || exit 1; done`,
  `for p in ${hidden.join(' ')}; do if test -d $p; then mount -t tmpfs -o ro none $p; elif test -e $p; then mount --bind /dev/null $p; fi || exit 1; done`,
]

/** What a container was given besides: the flags of `docker run` that stand for it. */
export type Given = {
  /** `--cap-add`, in small letters. */
  readonly capabilities?: readonly string[]
  /** `--security-opt seccomp=unconfined`. */
  readonly unfiltered?: boolean
  /** `--security-opt systempaths=unconfined`. */
  readonly wholeProc?: boolean
  /** `-v /sys/fs/cgroup:/sys/fs/cgroup:rw`, `--cgroupns host`. */
  readonly cgroups?: boolean
}

/**
 * A shell script that ends in `"$@"`: it runs as root of a container, as `docker run IMAGE` starts it. What
 * that needs of the host is root, and no container runtime. The cgroups are the host's, as with `--cgroupns
 * host`.
 */
export function inDocker({ capabilities = [], unfiltered, wholeProc, ...given }: Given = {}): string {
  const left = [...usual, ...capabilities].map(name => `+${name}`)
  return container(
    `${unfiltered === true ? '' : compiled('container_filter')} setpriv --bounding-set=-all,${left.join(',')}`,
    [...(wholeProc === true ? [] : covered), cgroups(given.cgroups === true ? 'rw' : 'ro')],
  )
}

/** As the user of a pod under the `restricted` standard of Kubernetes: no capability, none to be gained. */
export function inRestrictedPod(): string {
  const user = `--reuid ${ordinaryUid} --regid ${ordinaryUid} --clear-groups`
  return container(
    `${compiled('container_filter')} --no-chroot setpriv ${user} --bounding-set=-all --no-new-privs`,
    [...covered, cgroups('ro')],
  )
}

function container(confined: string, mounts: readonly string[]): string {
  const script = ['mount --make-rprivate /', 'mount -t proc proc /proc', ...mounts, `exec ${confined} "$@"`]
  return `exec unshare -m -p -f -u -i --kill-child sh -c '${script.join(' && ').replaceAll("'", `'\\''`)}' sh "$@"`
}
