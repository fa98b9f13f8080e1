import assert from 'node:assert/strict'
import type { AskedOfKernel, KernelFacts } from '../../../machines/index.ts'
import { together } from '../../../src/platform/in-force/finding.ts'
import { isAtLeast } from '../../../src/platform/in-force/knob-values.ts'
import {
  capabilitiesInForce,
  groupsInForce,
  noNewPrivilegesInForce,
  seccompInForce,
  userInForce,
} from '../../../src/platform/in-force/privileges.ts'
import { rlimitInForce } from '../../../src/platform/in-force/rlimits.ts'
import { insideInForce, namespaceInForce, rootInForce } from '../../../src/platform/in-force/walls.ts'

const none = '0000000000000000'
const status: KernelFacts['status'] = {
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
}
const facts = (
  change: Partial<KernelFacts['status']> = {},
  rest: Partial<KernelFacts> = {},
): KernelFacts => ({
  status: { ...status, ...change },
  namespaces: { pid: 'pid:[4026532001]', user: 'user:[4026531837]' },
  root: '40:1',
  ...rest,
})
const shim = facts(
  {
    Uid: '0\t0\t0\t0',
    Gid: '0\t0\t0\t0',
    Groups: '0 4',
    CapPrm: '000001ffffffffff',
    CapEff: '000001ffffffffff',
    CapBnd: '000001ffffffffff',
    NoNewPrivs: '0',
    Seccomp: '0',
    Seccomp_filters: '0',
  },
  { namespaces: { pid: 'pid:[4026531836]', user: 'user:[4026531837]' }, root: '39:2' },
)
const asked: AskedOfKernel = {
  credentials: { uid: 65534, gid: 65534, groups: [] },
  namespaces: ['pid'],
  networkPath: null,
  capabilities: [],
  noNewPrivileges: true,
  seccomp: true,
  rlimits: [{ name: 'nofile', soft: 64, hard: 128 }],
}
const compared = (
  change: Partial<KernelFacts['status']> = {},
  more: Partial<AskedOfKernel> = {},
  rest: Partial<KernelFacts> = {},
) => ({ asked: { ...asked, ...more }, task: facts(change, rest), shim, userNamespace: 'user:[4026531837]' })

describe('what the kernel says of a process, compared with what was asked for', () => {
  it('knows the user by all four numbers, and takes one that root has become for no difference', () => {
    assert.deepEqual(userInForce(compared()), { verdict: 'holds', inForce: '65534:65534' })
    for (const Uid of ['65534\t0\t65534\t65534', '0\t0\t0\t0', '65534\t65534\t65534\t0', '1\t1\t1\t1'])
      assert.equal(userInForce(compared({ Uid })).verdict, 'differs', Uid)
    assert.equal(userInForce(compared({ Gid: '65534\t65534\t0\t65534' })).verdict, 'differs')
    const root = { credentials: { uid: 0, gid: 0, groups: [] } }
    assert.equal(userInForce(compared({}, root)).verdict, 'holds')
    assert.equal(userInForce(compared({}, { credentials: null })).verdict, 'holds', 'the shim is root')
  })

  it('takes groups that were left for no difference, and any other for one', () => {
    const credentials = { uid: 65534, gid: 65534, groups: [4, 20] }
    assert.equal(groupsInForce(compared({ Groups: '20' }, { credentials })).verdict, 'holds')
    assert.equal(groupsInForce(compared({ Groups: '20 27' }, { credentials })).verdict, 'differs')
    assert.deepEqual(groupsInForce(compared()), { verdict: 'holds', inForce: 'none' })
  })

  it('looks at every set of capabilities', () => {
    assert.equal(capabilitiesInForce(compared()).verdict, 'holds')
    const bind = '0000000000000400'
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'] as const) {
      const found = capabilitiesInForce(compared({ [set]: bind }))
      assert.deepEqual(found, { verdict: 'differs', inForce: 'CAP_NET_BIND_SERVICE' }, set)
      assert.equal(capabilitiesInForce(compared({ [set]: bind }, { capabilities: [10] })).verdict, 'holds')
    }
    assert.equal(capabilitiesInForce(compared({ CapEff: 'rubbish' })).verdict, 'differs')
  })

  it('counts the bounding set only where the shim could bound it', () => {
    const CapBnd = '000001ffffffffff'
    const powerless = { ...compared({ CapBnd }), shim: facts({ CapBnd }) }
    assert.equal(capabilitiesInForce(powerless).verdict, 'holds')
    assert.equal(capabilitiesInForce(compared({ CapBnd })).verdict, 'differs')
  })

  it('takes capabilities over a user namespace of its own for no difference, and one that nobody knows for no answer', () => {
    const CapEff = '000001ffffffffff'
    const namespaces = { user: 'user:[4026532999]' }
    assert.equal(capabilitiesInForce(compared({ CapEff }, {}, { namespaces })).verdict, 'holds')
    assert.equal(
      capabilitiesInForce(compared({ CapEff }, {}, { namespaces: { user: null } })).verdict,
      'unread',
    )
    assert.equal(capabilitiesInForce({ ...compared({ CapEff }), userNamespace: null }).verdict, 'unread')
    assert.equal(capabilitiesInForce({ ...compared(), userNamespace: null }).verdict, 'holds')
  })

  it('wants one filter more than the shim has', () => {
    assert.equal(seccompInForce(compared()).verdict, 'holds')
    assert.equal(seccompInForce(compared({ Seccomp: '0', Seccomp_filters: '0' })).verdict, 'differs')
    const contained = facts({ Seccomp: '2', Seccomp_filters: '2' })
    assert.equal(
      seccompInForce({ ...compared({ Seccomp_filters: '2' }), shim: contained }).verdict,
      'differs',
    )
    assert.equal(seccompInForce({ ...compared({ Seccomp_filters: '3' }), shim: contained }).verdict, 'holds')
    const { Seccomp_filters: _, ...uncounted } = contained.status
    const old = { ...contained, status: uncounted }
    assert.equal(seccompInForce({ ...compared(), task: old, shim: old }).verdict, 'unread')
    assert.equal(seccompInForce({ ...compared(), task: old }).verdict, 'holds')
  })

  it('reads no_new_privs', () => {
    assert.equal(noNewPrivilegesInForce(compared()).verdict, 'holds')
    assert.equal(noNewPrivilegesInForce(compared({ NoNewPrivs: '0' })).verdict, 'differs')
  })

  it('takes a namespace for its own that is neither the shim’s nor the reader’s', () => {
    const others = { shim: shim.namespaces, reader: { pid: 'pid:[4026531777]', user: 'user:[4026531837]' } }
    const found = (pid: string | null | undefined) =>
      namespaceInForce('pid', compared({}, {}, { namespaces: pid === undefined ? {} : { pid } }), others)
        .verdict
    assert.equal(found('pid:[4026532001]'), 'holds')
    for (const other of ['pid:[4026531836]', 'pid:[4026531777]']) assert.equal(found(other), 'differs')
    assert.equal(found(null), 'unread')
    // A process that has ended has no link, and that says nothing of the kernel.
    assert.equal(found(undefined), 'unread')
    const nowhere = { shim: { user: 'user:[4026531837]' }, reader: null }
    assert.deepEqual(namespaceInForce('pid', compared({}, {}, { namespaces: {} }), nowhere), {
      verdict: 'differs',
      inForce: 'this kernel has none',
    })
    const user = (name: string, reader: KernelFacts['namespaces'] | null) =>
      namespaceInForce('user', compared({}, {}, { namespaces: { user: name } }), { ...others, reader })
        .verdict
    assert.equal(user('user:[4026532002]', others.reader), 'holds')
    assert.equal(user('user:[4026531837]', others.reader), 'differs')
    assert.equal(user('user:[4026532002]', null), 'holds')
    assert.equal(user('user:[4026531837]', null), 'differs')
  })

  it('compares the root with the shim’s, and what runs inside with its task', () => {
    assert.equal(rootInForce(compared(), ['39:2', null]).verdict, 'holds')
    assert.equal(rootInForce(compared({}, {}, { root: '39:2' }), ['39:2', null]).verdict, 'differs')
    assert.equal(rootInForce(compared({}, {}, { root: null }), ['39:2']).verdict, 'unread')
    assert.equal(insideInForce(compared(), facts()).verdict, 'holds')
    assert.match(insideInForce(compared(), shim).inForce ?? '', /another pid namespace/)
    assert.equal(insideInForce(compared(), null).verdict, 'unread')
    for (const pid of [null, undefined]) {
      const partly = facts({}, { namespaces: { user: 'user:[4026531837]', ...(pid === null && { pid }) } })
      assert.equal(insideInForce(compared(), partly).verdict, 'unread')
      assert.equal(insideInForce({ task: partly }, facts()).verdict, 'unread')
    }
  })

  it('takes the hard limit for the limit', () => {
    const of = (line: string) =>
      rlimitInForce('nofile', asked.rlimits, `Limit  Soft  Hard  Units\n${line}`).verdict
    assert.equal(of('Max open files            128                  128                  files'), 'holds')
    assert.equal(of('Max open files            64                   129                  files'), 'differs')
    assert.equal(of('Max open files            64                   unlimited            files'), 'differs')
    assert.equal(
      of('Max processes             64                   64                   processes'),
      'unread',
    )
    assert.equal(rlimitInForce('nofile', asked.rlimits, null).verdict, 'unread')
    assert.equal(rlimitInForce('core', asked.rlimits, '').verdict, 'unverifiable')
  })

  it('lets the worst of several decide', () => {
    const [good, bad] = [
      { verdict: 'holds', inForce: 'a' },
      { verdict: 'differs', inForce: 'b' },
    ] as const
    assert.deepEqual(together([good, bad, { verdict: 'unread', inForce: 'c' }]), bad)
    assert.deepEqual(together([good, { verdict: 'holds', inForce: 'd' }]), {
      verdict: 'holds',
      inForce: 'a, d',
    })
    assert.deepEqual(together([]), { verdict: 'unverifiable', inForce: null })
  })
})

describe('what a file of a cgroup says, compared with what was written into it', () => {
  const cases: readonly (readonly [
    file: string,
    written: string,
    holds: readonly string[],
    more: readonly string[],
  ])[] = [
    ['memory.max', '67108864', ['67108864', '4096', '0'], ['67112960', 'max', '']],
    ['memory.limit_in_bytes', '10000000', ['9998336'], ['9223372036854771712']],
    ['memory.swap.max', '0', ['0'], ['4096', 'max']],
    ['memory.low', '10000001', ['9998336'], ['max', '0', '10002432']],
    ['pids.max', '20', ['20', '1'], ['21', 'max']],
    [
      'cpu.max',
      '50000 100000',
      ['50000 100000', '100000 200000', '1000 100000'],
      ['60000 100000', 'max 100000', '50000 50000'],
    ],
    ['cpu.cfs_quota_us', '50000', ['50000', '40000'], ['-1', '60000']],
    ['cpu.weight', '50', ['50'], ['100', '']],
    ['io.weight', '50', ['default 50'], ['default 100', '']],
    ['cpuset.cpus', '0-2', ['0-2', '1'], ['0-3', '', '4']],
    ['memory.oom.group', '1', ['1'], ['0']],
    ['memory.oom.group', '0', ['0', '1'], []],
    ['memory.oom_control', '0', ['oom_kill_disable 0\nunder_oom 0'], ['oom_kill_disable 1\nunder_oom 0', '']],
    [
      'io.max',
      '8:0 rbps=1000 wiops=5',
      ['8:0 rbps=1000 wbps=max riops=max wiops=5'],
      ['8:0 rbps=max wbps=1 riops=max wiops=5', '9:0 rbps=1 wiops=1', ''],
    ],
    ['blkio.throttle.read_bps_device', '8:0 1000', ['9:0 5\n8:0 1000', '8:0 10'], ['8:0 1001', '']],
  ]

  it('is at least as strict, or it is not', () => {
    for (const [file, written, holds, more] of cases) {
      for (const found of holds) assert.equal(isAtLeast(file, found, written), true, `${file} ${found}`)
      for (const found of more) assert.equal(isAtLeast(file, found, written), false, `${file} ${found}`)
    }
  })
})
