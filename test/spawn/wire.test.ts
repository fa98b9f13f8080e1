import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { LaunchSpec } from '../../src/spawn/spec.ts'
import { encodeLaunch } from '../../src/spawn/wire.ts'
import { minimalSpec, fullSpec } from '../support/launch-spec.ts'

function fieldsOf(frame: Uint8Array): string[] {
  const bytes = Buffer.from(frame)
  assert.equal(bytes.readUInt32LE(0), bytes.length - 4)
  assert.equal(bytes.at(-1), 0)
  return bytes.subarray(4, -1).toString().split('\0')
}

describe('encodeLaunch', () => {
  it('leaves out what is null', () => {
    assert.equal(
      fieldsOf(encodeLaunch(7, minimalSpec)).join(' '),
      'launch 7 dir /state/tasks/k path /bin/sh arg sh arg -c arg  env A=1 env EMPTY= cwd / umask 22 stdin  /dev/null ' +
        'stdout  /logs/out stderr /alloc/logs web.stderr grace 5000 durable 1 no-new-privileges 1 seccomp 0',
    )
  })

  it('writes options with their operands, in order', () => {
    const text = fieldsOf(encodeLaunch(2 ** 31 - 1, fullSpec)).join(' ')
    for (const part of [
      'launch 2147483647 dir ',
      'umask 22 credentials 65534 65533 group 10 group 20 stdin',
      'nice -5 oom-score-adj 500 cpu-policy batch rlimit nofile 10 20 rlimit core -1 -1 wall 30000 output-limit 4096 grace 5000 durable 0 lifeline /state/supervisors/1-a ',
      'cgroup /cg/one cgroup-file pids.max 5 cgroup-file cpu.shares 2 cgroup /cg/two cgroup-deferred /cg/three oom-file /cg/one/memory.events oom process freezer /cg/freezer ',
      'namespace mount namespace pid network-path /run/netns/x hostname web ',
      'root-dir /tmp 1777 root-symlink usr/bin /bin root-bind  /usr /usr ro root-bind  /dev/x /dev/x ro,dev root-bind /alloc /alloc/a /b  root-bind  /home/a/w /home/a/w  root-map 1000 1001 65534 65533 ' +
        'root-overlay /home/a/o /state/allocs/k/overlay /home/a/o root-entries /usr/local /opt root-tmpfs /dev 65536 755 root-proc /proc root-node /dev/null 1 3 root-pts /dev/pts 5 root-mqueue /dev/mqueue ' +
        'root-file /etc/hosts /etc/hosts 127.0.1.1 task\n root-secrets /secrets root-mask /proc/kcore root-readonly /proc/sys root-freeze /home/a/w ',
      'capabilities 10,12 no-new-privileges 0 seccomp 1 offline 1 landlock / list landlock /local write landlock-scope signal landlock-scope abstract secret token 007fff secret empty ',
    ]) {
      assert.ok(text.includes(part), `${part}\nis not in\n${text}`)
    }
  })

  it('says after which mount the shared ones end', () => {
    const fields = fieldsOf(encodeLaunch(1, { ...fullSpec, rootShared: 3 }))
    assert.equal(fields[fields.indexOf('root-shared') - 1], 'ro')
    assert.equal(fields[fields.indexOf('root-shared') - 2], '/usr')
    assert.ok(!fieldsOf(encodeLaunch(1, fullSpec)).includes('root-shared'))
  })

  it('tells no capabilities from capabilities left alone', () => {
    const fields = fieldsOf(encodeLaunch(1, { ...minimalSpec, capabilities: [] }))
    assert.equal(fields[fields.indexOf('capabilities') + 1], '')
    assert.ok(!fieldsOf(encodeLaunch(1, minimalSpec)).includes('capabilities'))
  })

  it('carries any arguments and environment, byte for byte', () => {
    const text = fc.string({ unit: 'binary' }).map(value => value.replaceAll('\0', ''))
    fc.assert(
      fc.property(fc.array(text), fc.array(text), (argv, env) => {
        const fields = fieldsOf(encodeLaunch(1, { ...minimalSpec, argv, env }))
        const from = fields.indexOf('path') + 2
        const expected = [
          ...argv.flatMap(value => ['arg', value]),
          ...env.flatMap(value => ['env', value]),
          'cwd',
        ]
        const utf8 = expected.map(value => Buffer.from(value).toString())
        assert.deepEqual(fields.slice(from, from + utf8.length), utf8)
      }),
    )
  })

  for (const [where, spec] of [
    ['dir', { dir: '/a\0b' }],
    ['an argument', { argv: ['sh', 'a\0wall\x001'] }],
    ['the environment', { env: ['SECRET=x\0'] }],
    ['a path at the end', { stderr: { base: null, path: '\0' } }],
    ['a cgroup file', { cgroups: [{ dir: '/x', files: [{ name: 'a', value: '\0' }] }] }],
    ['a mount', { root: [{ op: 'mask', at: '/\0' }] }],
  ] as [string, Partial<LaunchSpec>][]) {
    it(`refuses NUL in ${where}, without showing the value`, () => {
      assert.throws(
        () => encodeLaunch(1, { ...minimalSpec, ...spec }),
        (error: Error & { code?: string }) =>
          error.code === 'INVALID_ARGUMENT' && /NUL/.test(error.message) && !/SECRET/.test(error.message),
      )
    })
  }

  it('takes a frame of 64 MiB and none beyond', () => {
    const rest = encodeLaunch(1, { ...minimalSpec, argv: [''] }).length - 4
    const argument = 'x'.repeat(64 * 1024 * 1024 - rest)
    assert.equal(encodeLaunch(1, { ...minimalSpec, argv: [argument] }).length, 64 * 1024 * 1024 + 4)
    assert.throws(() => encodeLaunch(1, { ...minimalSpec, argv: [`${argument}x`] }), {
      code: 'INVALID_ARGUMENT',
      message: /67108865 bytes/,
    })
  })
})
