import assert from 'node:assert/strict'
import type { Command } from '../../src/index.ts'
import { nativeFeatures } from '../../src/spawn/probe.ts'
import { strongest } from '../support/identity.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { attacker, nativePath, verdicts } from './hostile.ts'

/** Number on x86_64, and on i386 where that differs. */
const refused: Readonly<Record<string, readonly [number, number?]>> = {
  ptrace: [101, 26],
  syslog: [103, 103],
  pivot_root: [155, 217],
  adjtimex: [159, 124],
  chroot: [161, 61],
  acct: [163, 51],
  settimeofday: [164, 79],
  mount: [165, 21],
  umount2: [166, 52],
  swapon: [167, 87],
  swapoff: [168, 115],
  reboot: [169, 88],
  sethostname: [170, 74],
  setdomainname: [171, 121],
  iopl: [172, 110],
  ioperm: [173, 101],
  init_module: [175, 128],
  delete_module: [176, 129],
  quotactl: [179, 131],
  clock_settime: [227, 264],
  kexec_load: [246, 283],
  add_key: [248, 286],
  request_key: [249, 287],
  keyctl: [250, 288],
  unshare: [272, 310],
  perf_event_open: [298, 336],
  fanotify_init: [300, 338],
  open_by_handle_at: [304, 342],
  clock_adjtime: [305, 343],
  setns: [308, 346],
  process_vm_readv: [310, 347],
  process_vm_writev: [311, 348],
  kcmp: [312, 349],
  finit_module: [313, 350],
  bpf: [321, 357],
  userfaultfd: [323, 374],
  io_uring_setup: [425],
  io_uring_enter: [426],
  io_uring_register: [427],
  open_tree: [428],
  move_mount: [429],
  fsopen: [430],
  fsconfig: [431],
  fsmount: [432],
  fspick: [433],
  pidfd_getfd: [438],
  mount_setattr: [442],
  quotactl_fd: [443],
  open_tree_attr: [467],
}

type Abi = 'native' | 'x32' | 'i386'

describe('attack: system calls', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
    if (process.arch !== 'x64') this.skip()
  })

  it('the calls no program needs are refused by number, before the kernel looks at their arguments', () =>
    expectAllRefused('native'))

  it('those that reach into other processes too, where these are not the task’s own alone', () =>
    expectAllRefused('native', { namespaces: { pid: false } }, true))

  it('the filter also knows them by their i386 numbers (int 0x80)', () => expectAllRefused('i386'))

  it('no x32 number is let through', () => expectAllRefused('x32'))

  it('the same holds for root', () => expectAllRefused('native', { user: strongest }))

  it('without no_new_privs the filter is in place all the same', () =>
    expectAllRefused('native', { noNewPrivileges: false }))

  it('control: with the filter off the kernel itself answers, and most calls get further than EPERM', async () => {
    const seen = await callAll('native', { seccomp: 'off' })
    // What the filter alone stops.
    for (const name of ['keyctl', 'add_key', 'userfaultfd', 'process_vm_readv', 'unshare', 'ptrace', 'mount'])
      assert.notEqual(seen[name], 'EPERM', name)
    // These ask for a capability before anything else, so that losing the filter loses nothing.
    for (const name of ['reboot', 'sethostname', 'swapoff']) assert.equal(seen[name], 'EPERM', name)
  })

  it('no socket of a family that an own network does not hold, by any way to ask for one', async () => {
    const seen = await sockets({ network: 'none' })
    assert.deepEqual(seen, {
      vsock: 'EAFNOSUPPORT',
      alg: 'EAFNOSUPPORT',
      'vsock-high': 'EAFNOSUPPORT',
      // A kernel without the ABI answers with a signal.
      'i386-vsock': seen['i386-vsock'] === 'SIGSEGV' ? 'SIGSEGV' : 'EAFNOSUPPORT',
      'i386-socketcall': seen['i386-socketcall'] === 'SIGSEGV' ? 'SIGSEGV' : 'ENOSYS',
      ...ordinary,
    })
  })

  it('control: with the filter off the kernel itself answers', async () => {
    const seen = await sockets({ network: 'none', seccomp: 'off' })
    const refusing = ['EAFNOSUPPORT', 'ENOSYS']
    for (const [name, verdict] of Object.entries(seen)) assert.ok(!refusing.includes(verdict), name)
  })

  it('control: with the filter off int 0x80 reaches the kernel or the kernel has none', async () => {
    const seen = await callAll('i386', { seccomp: 'off' })
    assert.ok(['EFAULT', 'SIGSEGV'].includes(seen.mount ?? ''), seen.mount)
  })
})

/**
 * Into other processes: a task with processes of its own may, where Landlock keeps it from those of others
 * (exec-sessions.test.ts).
 */
const reaching = ['ptrace', 'process_vm_readv', 'process_vm_writev', 'kcmp', 'pidfd_getfd']

async function expectAllRefused(
  abi: Abi,
  loosened: Partial<Command> = {},
  alsoReaching = abi === 'x32' || nativeFeatures(nativePath())?.landlock === 0,
): Promise<void> {
  const seen = await callAll(abi, loosened)
  const names = Object.keys(refused).filter(name => alsoReaching || !reaching.includes(name))
  for (const name of names) assert.equal(seen[name], 'EPERM', name)
}

const ordinary = { unix: 'ok', inet: 'ok', 'inet6-or-not': 'ok', netlink: 'ok' }

async function sockets(loosened: Partial<Command>): Promise<Record<string, string>> {
  let seen: Record<string, string> = {}
  await withWorkbench('linux', async bench => {
    seen = await verdicts(attacker(bench, 'sockets', [], loosened))
  })
  return seen
}

async function callAll(abi: Abi, loosened: Partial<Command>): Promise<Record<string, string>> {
  const numbers = Object.entries(refused).map(
    ([name, [native, i386]]) => [name, String(abi === 'i386' ? (i386 ?? native) : native)] as const,
  )
  let seen: Record<string, string> = {}
  await withWorkbench('linux', async bench => {
    seen = await verdicts(attacker(bench, 'calls', [abi, ...numbers.map(([, number]) => number)], loosened))
  })
  return Object.fromEntries(numbers.map(([name, number]) => [name, seen[number] ?? 'no answer']))
}
