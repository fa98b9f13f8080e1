import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseCommand } from '../../src/command/validate.ts'
import { HoldfastError } from '../../src/errors.ts'

const minimal = { path: 'sleep', args: ['1'], env: {} }
const notText = [5, null, true, {}, ['x']]
const notFlags = [0, 1, 'true', null, {}]

/** Per field: values at both ends, values beyond them, and where in the field the error points to. */
const table: { field: string; taken: unknown[]; refused: [value: unknown, at: string][] }[] = [
  { field: 'path', taken: ['a', '/bin/sh', '$X', ' '], refused: each('', '', 'a\0b', ...notText) },
  {
    field: 'args',
    taken: [[], [''], ['a', '\n']],
    refused: [...each('', 'x', {}, null), [['a', 'b\0'], '[1]'], [[5], '[0]'], [[null], '[0]']],
  },
  { field: 'argv0', taken: ['', '-sh'], refused: each('', 'a\0', ...notText) },
  {
    field: 'env',
    taken: [{}, { A: '' }, { A: 'b=c\n' }, { 'odd name': '1' }],
    refused: [
      ...each('', 'A=b', [], null, 5),
      [{ '': 'x' }, '.'],
      [{ 'A=': 'x' }, '.A='],
      [{ 'A\0': 'x' }, '.A\0'],
      [{ A: 'x\0' }, '.A'],
      [{ A: 5 }, '.A'],
      [{ A: null }, '.A'],
    ],
  },
  { field: 'cwd', taken: ['/', '/a/..'], refused: each('', '', '.', 'a/b', '/a\0', ...notText) },
  {
    field: 'user',
    taken: ['nobody', '0', 0, 4294967294],
    refused: each('', '', 'a\0', -1, 4294967295, 1.5, Number.NaN, null, true, {}),
  },
  {
    field: 'group',
    taken: ['audio', '0', 0, 4294967294],
    refused: each('', '', 'a\0', -1, 4294967295, 1.5, Number.NaN, null, true, {}),
  },
  { field: 'umask', taken: [0, 0o22, 0o777], refused: each('', -1, 0o1000, 1.5, '022', null) },
  { field: 'stdin', taken: ['null', '/dev/zero'], refused: each('', '', 'relative', '/a\0', ...notText) },
  { field: 'stdout', taken: ['null', '/var/log/x'], refused: each('', '', 'relative', '/a\0', ...notText) },
  { field: 'stderr', taken: ['null', '/var/log/x'], refused: each('', '', 'relative', '/a\0', ...notText) },
  {
    field: 'hostname',
    taken: ['a', 'web-1.example', 'x'.repeat(64)],
    refused: each('', '', 'x'.repeat(65), 'a_b', 'a b', 'é', 'a\n', ...notText),
  },
  {
    field: 'network',
    taken: [
      'host',
      'none',
      { path: '/run/netns/x' },
      { allow: [] },
      {
        allow: [
          'a.example:8080',
          '*.b.example',
          'c:*',
          '10.0.0.0/8:5432',
          '1.2.3.4',
          '[::1]:80',
          '2001:db8::/32',
          'd.',
        ],
      },
    ],
    refused: [
      [{ path: '/a', x: 1 }, '.x'],
      [{ allow: [], path: '/a' }, '.path'],
      ...each('.path', {}, { path: 'x' }, { path: '/a\0' }),
      ...each(
        '.allow',
        { allow: 'a' },
        { allow: null },
        { allow: new Array(501).fill('a') },
        { allow: new Array(500).fill(`${'a'.repeat(50)}.example`) },
      ),
      ...[
        '',
        'a:',
        'a:0',
        'a:65536',
        'a:b',
        'a/8',
        '*',
        '*.',
        'a..b',
        'http://a',
        '1.2.3.4/33',
        '1.2.3',
        '[a]:80',
        '[::1',
        '::1%lo',
        'ä',
        'a b',
      ].map((text): [unknown, string] => [{ allow: [text] }, '.allow[0]']),
      ...each('', 'bridge', '', null, 1),
    ],
  },
  {
    field: 'mounts',
    taken: [[], [{ source: '/', target: '/data' }], [{ source: '/a', target: '/b/c', readOnly: true }]],
    refused: [
      ...each('', {}, 'x', null),
      ...each('[0]', null, 'x', []).map(([value, at]): [unknown, string] => [[value], at]),
      ...each('[0].source', 'a', '', 5, undefined).map(([source, at]): [unknown, string] => [
        [{ source, target: '/b' }],
        at,
      ]),
      ...each('[0].target', '/', '//', '/./', '/a/../b', '/..', 'b', '', '/a\0', 5, undefined).map(
        ([target, at]): [unknown, string] => [[{ source: '/a', target }], at],
      ),
      ...each('[0].readOnly', ...notFlags).map(([readOnly, at]): [unknown, string] => [
        [{ source: '/a', target: '/b', readOnly }],
        at,
      ]),
      [[{ source: '/a', target: '/b', readonly: true }], '[0].readonly'],
    ],
  },
  {
    field: 'tmpfs',
    taken: [
      [],
      [{ target: '/scratch' }],
      [{ target: '/s', sizeBytes: 1 }],
      [{ target: '/s', sizeBytes: Number.MAX_SAFE_INTEGER }],
    ],
    refused: [
      ...each('', {}, null),
      [[{ target: '/' }], '[0].target'],
      [[{ target: '/a/../..' }], '[0].target'],
      ...each('[0].sizeBytes', 0, -1, 1.5, '1M', 2 ** 53).map(([sizeBytes, at]): [unknown, string] => [
        [{ target: '/s', sizeBytes }],
        at,
      ]),
    ],
  },
  {
    field: 'devices',
    taken: [[], ['/dev/fuse', '/dev/net/tun']],
    refused: [
      ...each('', {}, '/dev/fuse'),
      ...each('[0]', '/dev', '/dev/', 'fuse', '/etc/x', '/dev/../etc/x', '/dev/a\0', 5).map(
        ([device, at]): [unknown, string] => [[device], at],
      ),
    ],
  },
  {
    field: 'root',
    taken: ['host', { embed: {} }, { embed: { '/bin/sh': 'bin/sh', '/lib': '/lib' } }],
    refused: [
      ...each('', 'none', null, 5, []),
      [{}, '.embed'],
      [{ embed: [] }, '.embed'],
      [{ embed: {}, x: 1 }, '.x'],
      [{ embed: { relative: 'x' } }, '.embed.relative'],
      ...each('.embed./a', '..', 'x/../..', '', '/', '.', 'a\0', 5).map(([at, path]): [unknown, string] => [
        { embed: { '/a': at } },
        path,
      ]),
    ],
  },
  {
    field: 'capabilities',
    taken: [[], ['CAP_NET_BIND_SERVICE', 'chown']],
    refused: [...each('', 'CAP_CHOWN', {}), [['CAP_CHOWN', 'ALL'], '[1]'], [[0], '[0]']],
  },
  { field: 'noNewPrivileges', taken: [true, false], refused: each('', ...notFlags) },
  { field: 'seccomp', taken: ['default', 'off'], refused: each('', 'on', true, null, '') },
  {
    field: 'namespaces',
    taken: [{}, { pid: false, user: true }],
    refused: [...each('', [], 'pid', null), [{ pid: 1 }, '.pid'], [{ time: true }, '.time']],
  },
  { field: 'oomScoreAdj', taken: [-1000, 0, 1000], refused: each('', -1001, 1001, 0.5, '0', null) },
  { field: 'nice', taken: [-20, 0, 19], refused: each('', -21, 20, 0.5, '0', null) },
]

function each(at: string, ...values: unknown[]): [value: unknown, at: string][] {
  return values.map(value => [value, at])
}

describe('parseCommand', () => {
  for (const { field, taken, refused } of table) {
    for (const value of taken) {
      it(`takes ${field} ${JSON.stringify(value)}`, () => {
        assert.deepEqual(parseCommand({ ...minimal, [field]: value }), { ...minimal, [field]: value })
      })
    }
    for (const [value, at] of refused) {
      it(`refuses ${field} ${JSON.stringify(value)}`, () => {
        assert.throws(
          () => parseCommand({ ...minimal, [field]: value }),
          (error: unknown) => {
            assert.ok(error instanceof HoldfastError, String(error))
            assert.equal(error.code, 'INVALID_ARGUMENT')
            assert.ok(error.message.startsWith(`command.${field}${at}: got `), error.message)
            assert.match(error.message, /, takes ./)
            return true
          },
        )
      })
    }
  }

  for (const field of ['path', 'args', 'env']) {
    it(`cannot do without ${field}`, () => {
      assert.throws(
        () => parseCommand({ ...minimal, [field]: undefined }),
        new RegExp(`command\\.${field}: got undefined, takes `),
      )
    })
  }

  it('refuses unknown fields by name', () => {
    assert.throws(
      () => parseCommand({ ...minimal, arguments: [] }),
      /command\.arguments: got \[\], takes no field of this name; known are path, args/,
    )
  })

  it('refuses what is no object', () => {
    for (const value of [undefined, null, 'sleep 1', ['sleep', '1'], 5])
      assert.throws(() => parseCommand(value), /command: got .*, takes an object/)
  })

  it('shows no value of the environment in its errors', () => {
    for (const env of [
      { TOKEN: 'hunter2\0' },
      { 'TOKEN=x': 'hunter2' },
      'TOKEN=hunter2',
      { '': 'hunter2' },
    ]) {
      assert.throws(
        () => parseCommand({ ...minimal, env }),
        (error: unknown) => error instanceof HoldfastError && !error.message.includes('hunter2'),
      )
    }
  })

  it('gives back a deeply frozen copy', () => {
    const original = { ...minimal, args: ['a'], env: { A: '1' }, mounts: [{ source: '/a', target: '/b' }] }
    const copy = parseCommand(original)
    original.args.push('later')
    original.env.A = 'later'
    assert.deepEqual(copy, {
      ...minimal,
      args: ['a'],
      env: { A: '1' },
      mounts: [{ source: '/a', target: '/b' }],
    })
    for (const part of [copy, copy.args, copy.env, copy.mounts, copy.mounts?.[0]])
      assert.ok(Object.isFrozen(part))
  })

  it('refuses what is no way to keep logs', () => {
    parseCommand({ ...minimal, logs: 'plain' })
    parseCommand({ ...minimal, terminal: { rows: 24, columns: 80 }, logs: { maxBytes: 4096, maxFiles: 2 } })
    for (const [logs, message] of [
      ['other', /^command\.logs: got "other", takes "plain", "collected" or /],
      [{ maxBytes: 1, maxFiles: 2 }, /^command\.logs\.maxBytes: got 1, /],
    ] as const)
      assert.throws(() => parseCommand({ ...minimal, logs }), { code: 'INVALID_ARGUMENT', message })
  })

  it('takes the environment of this program, and leaves out variables that are undefined', () => {
    const variable = `HOLDFAST_TEST_${process.pid}`
    process.env[variable] = 'passed on'
    try {
      const { env } = parseCommand({ ...minimal, env: process.env })
      assert.equal(env[variable], 'passed on')
      assert.ok(Object.isFrozen(env))
      const { env: copied } = parseCommand({ ...minimal, env: { ...process.env, [variable]: undefined } })
      assert.ok(!(variable in copied))
    } finally {
      delete process.env[variable]
    }
    for (const env of [new Map([['A', '1']]), new URLSearchParams('A=1')])
      assert.throws(() => parseCommand({ ...minimal, env }), {
        code: 'INVALID_ARGUMENT',
        message: /^command\.env: got an instance of/,
      })
  })

  it('takes any environment of proper names and values as it is', () => {
    const name = fc.string({ minLength: 1 }).filter(text => !/[=\0]/.test(text))
    const value = fc.string().filter(text => !text.includes('\0'))
    fc.assert(
      fc.property(fc.dictionary(name, value), env => {
        assert.deepEqual({ ...parseCommand({ ...minimal, env }).env }, { ...env })
      }),
    )
  })
})
