import type { EnforcedRecord, KernelFacts } from '../../machines/index.ts'

const none = '0000000000000000'

/** Of a process of nobody's in cgroups and namespaces of its own. */
const task: KernelFacts = {
  status: {
    Uid: '65534\t65534\t65534\t65534',
    Gid: '65534\t65534\t65534\t65534',
    Groups: '',
    CapInh: none,
    CapPrm: none,
    CapEff: none,
    CapBnd: none,
    CapAmb: none,
    NoNewPrivs: '1',
    Seccomp: '2',
    Seccomp_filters: '1',
  },
  namespaces: { pid: 'pid:[4026532001]', user: 'user:[4026531837]' },
  root: '40:1',
}

export const enforcedSample: EnforcedRecord = {
  format: 'holdfast.enforced',
  version: 1,
  at: 1234,
  shim: {
    status: { ...task.status, Uid: '0\t0\t0\t0', NoNewPrivs: '0', Seccomp: '0', Seccomp_filters: '0' },
    namespaces: { pid: 'pid:[4026531836]', user: 'user:[4026531837]' },
    root: '39:2',
  },
  task,
  files: [
    { path: '/sys/fs/cgroup/pids/holdfast/k/pids.max', text: '20' },
    { path: '/sys/fs/cgroup/memory/holdfast/k/memory.limit_in_bytes', text: '67108864' },
  ],
  cgroups: '5:pids:/holdfast/k\n4:memory:/holdfast/k/leaf\n0::/\n',
  limits: null,
}
