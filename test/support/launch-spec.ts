import type { LaunchSpec, MountOp } from '../../src/spawn/spec.ts'
import { encodeLaunch } from '../../src/spawn/wire.ts'

/** As little as a launch can say. */
export const minimalSpec: LaunchSpec = {
  dir: '/state/tasks/k',
  path: '/bin/sh',
  argv: ['sh', '-c', ''],
  env: ['A=1', 'EMPTY='],
  cwd: '/',
  umask: 0o22,
  credentials: null,
  stdin: { base: null, path: '/dev/null' },
  stdout: { base: null, path: '/logs/out' },
  stderr: { base: '/alloc/logs', path: 'web.stderr' },
  logRotation: null,
  nice: null,
  cpuPolicy: null,
  oomScoreAdj: null,
  rlimits: [],
  wallTimeMs: null,
  outputBytes: null,
  graceMs: 5000,
  durable: true,
  lifeline: null,
  cgroups: [],
  oomFile: null,
  freezer: null,
  namespaces: [],
  networkPath: null,
  egress: null,
  hostname: null,
  root: [],
  rootShared: 0,
  capabilities: null,
  noNewPrivileges: true,
  seccomp: false,
}

const root: MountOp[] = [
  { op: 'dir', at: '/tmp', mode: 0o1777 },
  { op: 'symlink', to: 'usr/bin', at: '/bin' },
  { op: 'bind', source: '/usr', base: null, at: '/usr', readOnly: true, devices: false },
  { op: 'bind', source: '/dev/x', base: null, at: '/dev/x', readOnly: true, devices: true },
  { op: 'bind', source: '/alloc/a', base: '/alloc', at: '/b', readOnly: false, devices: false },
  {
    ...{ op: 'bind', source: '/home/a/w', base: null, at: '/home/a/w', readOnly: false, devices: false },
    map: { owner: { uid: 1000, gid: 1001 }, user: { uid: 65534, gid: 65533 } },
  },
  { op: 'overlay', source: '/home/a/o', state: '/state/allocs/k/overlay', at: '/home/a/o' },
  { op: 'entries', source: '/usr/local', at: '/opt' },
  { op: 'tmpfs', at: '/dev', sizeBytes: 65536, mode: 0o755 },
  { op: 'proc', at: '/proc' },
  { op: 'node', at: '/dev/null', major: 1, minor: 3 },
  { op: 'pts', at: '/dev/pts', gid: 5 },
  { op: 'mqueue', at: '/dev/mqueue' },
  { op: 'file', at: '/etc/hosts', source: '/etc/hosts', text: '127.0.1.1 task\n' },
  { op: 'secrets', at: '/secrets' },
  { op: 'mask', at: '/proc/kcore' },
  { op: 'readonly', at: '/proc/sys' },
  { op: 'freeze', at: '/home/a/w' },
]

/** All that one launch of a task of its own can say. */
export const fullSpec: LaunchSpec = {
  ...minimalSpec,
  credentials: { uid: 65534, gid: 65533, groups: [10, 20] },
  nice: -5,
  cpuPolicy: 'batch',
  oomScoreAdj: 500,
  rlimits: [
    { name: 'nofile', soft: 10, hard: 20 },
    { name: 'core', soft: -1, hard: Number.POSITIVE_INFINITY },
  ],
  wallTimeMs: 30000,
  outputBytes: 4096,
  durable: false,
  lifeline: '/state/supervisors/1-a',
  cgroups: [
    {
      dir: '/cg/one',
      files: [
        { name: 'pids.max', value: '5' },
        { name: 'cpu.shares', value: '2' },
      ],
    },
    { dir: '/cg/two', files: [] },
  ],
  deferredCgroups: ['/cg/three'],
  oomFile: '/cg/one/memory.events',
  oom: 'process',
  freezer: '/cg/freezer',
  namespaces: ['mount', 'pid'],
  networkPath: '/run/netns/x',
  hostname: 'web',
  root,
  secrets: [
    { name: 'token', bytes: Uint8Array.of(0, 127, 255) },
    { name: 'empty', bytes: new Uint8Array() },
  ],
  capabilities: [10, 12],
  noNewPrivileges: false,
  seccomp: true,
  offline: true,
  landlock: {
    rules: [
      { at: '/', access: 'list' },
      { at: '/local', access: 'write' },
    ],
    scopes: ['signal', 'abstract'],
  },
}

/** Launches that together have every option there is. */
export const everyOption: readonly LaunchSpec[] = [
  { ...fullSpec, rootShared: 3 },
  {
    ...minimalSpec,
    donor: { pid: 7, startTime: 8 },
    terminal: { rows: 24, columns: 80 },
    stdinOpen: true,
    egress: {
      port: 3128,
      rules: [
        'name example.com 443',
        'suffix .example.com 0',
        'prefix 10.0.0.0/8 80',
        'prefix 2001:db8::/32 443',
      ],
    },
    logRotation: { maxBytes: 4096, maxFiles: 10, numbering: 'increment' },
    collected: true,
    holdMs: 60_000,
    plainLogs: ['stderr'],
    cgroups: [{ dir: '/cg/theirs', external: true, files: [] }],
    namespaces: ['pid', 'network'],
  },
  {
    ...minimalSpec,
    cgroups: [{ dir: '/cg/theirs', files: [] }],
    inside: {
      alive: '/state/tasks/other/alive',
      leader: { pid: 11, startTime: 12 },
      init: { pid: 13, startTime: 14 },
    },
  },
]

/** A launch as the fields of its frame, the verb first. */
export function launchFields(spec: LaunchSpec, id = 1): string[] {
  return Buffer.from(encodeLaunch(id, spec)).subarray(4, -1).toString().split('\0')
}
