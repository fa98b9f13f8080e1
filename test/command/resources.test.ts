import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { parseResources } from '../../src/command/validate.ts'
import { HoldfastError } from '../../src/errors.ts'

const largest = Number.MAX_SAFE_INTEGER
const MiB = 1024 * 1024
const notNumbers = ['5', null, true, Number.NaN, {}, [], 5n, () => 5]
const notIntegers = [
  1.5,
  10.5,
  100.5,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  largest + 1,
  ...notNumbers,
]
const device = '/dev/sda'

/** Per field: values at both ends, values beyond them, and what the error says it takes. */
const table: { field: string; taken: unknown[]; refused: unknown[]; takes: RegExp }[] = [
  {
    field: 'cpu',
    taken: [2, 262_144],
    refused: [1, 0, 262_145, ...notIntegers],
    takes: /an integer >= 2 and <= 262144 \(shares\)/,
  },
  {
    field: 'cpuLimit',
    taken: [0.01, 0.5, 1024],
    refused: [0, 0.009, -1, 1024.01, Number.POSITIVE_INFINITY, ...notNumbers],
    takes: /cores >= 0\.01 and <= 1024/,
  },
  {
    field: 'cpuset',
    taken: ['0', '0-1,3', '3,1', '5-5', '8191', '0-8191'],
    refused: [
      '',
      ' ',
      '0-',
      '-1',
      '3-1',
      '0,,1',
      '0,',
      '0 - 1',
      '0-1\n',
      '8192',
      '0-8192',
      'a',
      '0x1',
      '1e1',
      '99999',
      '0-1-2',
      0,
      null,
      [0],
    ],
    takes: /a list of processors/,
  },
  {
    field: 'memoryMB',
    taken: [1, 2 ** 33 - 1],
    refused: [0, 2 ** 33, ...notIntegers],
    takes: /an integer >= 1 and <= 8589934591 \(MiB\)/,
  },
  {
    field: 'memoryBytes',
    taken: [MiB, largest],
    refused: [MiB - 1, 0, ...notIntegers],
    takes: /an integer >= 1048576 \(bytes\)/,
  },
  { field: 'swapBytes', taken: [0, largest], refused: notIntegers, takes: /an integer >= 0 \(bytes\)/ },
  {
    field: 'memoryReserveBytes',
    taken: [0, largest],
    refused: notIntegers,
    takes: /an integer >= 0 \(bytes\)/,
  },
  {
    field: 'pids',
    taken: [1, 4_194_304],
    refused: [0, 4_194_305, ...notIntegers],
    takes: /an integer >= 1 and <= 4194304/,
  },
  {
    field: 'iops',
    taken: [10, 1000],
    refused: [9, 1001, ...notIntegers],
    takes: /an integer >= 10 and <= 1000 \(io weight\)/,
  },
  {
    field: 'outputBytes',
    taken: [1, 2 ** 50],
    refused: [0, ...notIntegers],
    takes: /an integer >= 1 .*\(bytes\)/,
  },
  {
    field: 'wallTimeMs',
    taken: [1, 3_162_240_000_000],
    refused: [0, 3_162_240_000_001, ...notIntegers],
    takes: /an integer >= 1 and <= 3162240000000 \(milliseconds\)/,
  },
  {
    field: 'io',
    taken: [[], [{ device, readBps: 1 }]],
    refused: [{}, 'x', null, 1, { device, readBps: 1 }],
    takes: /an array of \{ device/,
  },
  {
    field: 'rlimits',
    taken: [{}, { nofile: 1 }],
    refused: [[], 'x', null, 1],
    takes: /an object with fields of as, core/,
  },
]

describe('parseResources', () => {
  for (const { field, taken, refused, takes } of table) {
    for (const value of taken) {
      it(`takes ${field} ${JSON.stringify(value)}`, () => {
        assert.deepEqual(parseResources({ [field]: value }), { [field]: value })
      })
    }
    for (const value of refused) {
      it(`refuses ${field} ${typeof value === 'object' ? JSON.stringify(value) : `${String(value)} (${typeof value})`}`, () => {
        assert.throws(
          () => parseResources({ [field]: value }),
          (error: unknown) => isRefusal(error, `resources.${field}`) && takes.test(error.message),
        )
      })
    }
  }

  it('says exactly what it got and what it takes', () => {
    assert.throws(() => parseResources({ cpu: 1 }), {
      name: 'HoldfastError',
      code: 'INVALID_ARGUMENT',
      message: 'resources.cpu: got 1, takes an integer >= 2 and <= 262144 (shares)',
    })
  })

  describe('io', () => {
    for (const good of ['/dev/sda', '/dev/disk/by-id/x', '8:0', '4095:1048575', '0:0']) {
      it(`takes the device ${good}`, () => {
        const io = [{ device: good, writeIops: 5 }]
        assert.deepEqual(parseResources({ io }), { io })
      })
    }
    for (const bad of [
      '',
      'sda',
      '/dev',
      '/dev/',
      '/dev/../etc/x',
      '/etc/x',
      '/dev/a\0b',
      '8',
      '8:',
      ':0',
      '8:0:1',
      '4096:0',
      '0:1048576',
      '-1:0',
      8,
      null,
    ]) {
      it(`refuses the device ${JSON.stringify(bad)}`, () => {
        assert.throws(
          () => parseResources({ io: [{ device: bad, readBps: 1 }] }),
          (error: unknown) => isRefusal(error, 'resources.io[0].device'),
        )
      })
    }
    for (const name of ['readBps', 'writeBps', 'readIops', 'writeIops']) {
      it(`takes ${name} from 1 to the largest integer, nothing beyond`, () => {
        for (const value of [1, largest]) assert.ok(parseResources({ io: [{ device, [name]: value }] }))
        for (const value of [0, ...notIntegers]) {
          assert.throws(
            () =>
              parseResources({
                io: [
                  { device, readBps: 1 },
                  { device, [name]: value },
                ],
              }),
            (error: unknown) => isRefusal(error, `resources.io[1].${name}`),
          )
        }
      })
    }
    it('refuses an entry that throttles nothing', () => {
      assert.throws(
        () => parseResources({ io: [{ device }] }),
        /resources\.io\[0\]: got .* takes at least one of readBps/,
      )
      assert.throws(() => parseResources({ io: [{ device, readBps: undefined }] }), /at least one of/)
    })
  })

  describe('rlimits', () => {
    for (const value of [0, 1024, largest, [0, 0], [1, 2], [5, -1], -1, [-1, -1]]) {
      it(`takes ${JSON.stringify(value)}`, () => {
        assert.deepEqual(parseResources({ rlimits: { nofile: value } }), { rlimits: { nofile: value } })
      })
    }
    for (const value of [
      -2,
      1.5,
      '1',
      null,
      [2, 1],
      [-1, 5],
      [1],
      [1, 2, 3],
      [],
      ['1', '2'],
      Number.NaN,
      Number.NEGATIVE_INFINITY,
    ]) {
      it(`refuses ${JSON.stringify(value)}`, () => {
        assert.throws(
          () => parseResources({ rlimits: { stack: value } }),
          (error: unknown) => isRefusal(error, 'resources.rlimits.stack'),
        )
      })
    }
    it('keeps Infinity as -1, which JSON can hold', () => {
      const limits = parseResources({
        rlimits: { core: Number.POSITIVE_INFINITY, nofile: [1, Number.POSITIVE_INFINITY] },
      })
      assert.deepEqual(limits, { rlimits: { core: -1, nofile: [1, -1] } })
      assert.deepEqual(parseResources(JSON.parse(JSON.stringify(limits))), limits)
    })
    it('refuses an unknown name', () => {
      assert.throws(
        () => parseResources({ rlimits: { nofiles: 1 } }),
        /^HoldfastError: resources\.rlimits\.nofiles: got 1, takes no field of this name/,
      )
    })
  })

  describe('across fields', () => {
    it('refuses memoryMB and memoryBytes together', () => {
      assert.throws(
        () => parseResources({ memoryMB: 1, memoryBytes: MiB }),
        /resources\.memoryBytes: got 1048576, takes either/,
      )
    })
    it('takes a reserve up to the limit, not beyond', () => {
      assert.ok(parseResources({ memoryMB: 2, memoryReserveBytes: 2 * MiB }))
      assert.ok(parseResources({ memoryBytes: MiB, memoryReserveBytes: MiB }))
      for (const limit of [{ memoryMB: 2 }, { memoryBytes: 2 * MiB }]) {
        assert.throws(
          () => parseResources({ ...limit, memoryReserveBytes: 2 * MiB + 1 }),
          /resources\.memoryReserveBytes: got 2097153, takes at most/,
        )
      }
    })
  })

  it('refuses a missing argument and what is no plain object', () => {
    class Limits {
      get cpu() {
        return 5
      }
    }
    for (const value of [
      undefined,
      null,
      5,
      'cpu=5',
      [],
      new Map([['cpu', 5]]),
      new Limits(),
      new Date(),
      () => ({}),
    ]) {
      assert.throws(
        () => parseResources(value),
        /^HoldfastError: resources: got .+, takes an object with fields of cpu, /,
      )
    }
  })

  it('refuses unknown fields by name, listing the known', () => {
    assert.throws(
      () => parseResources({ memory: 5 }),
      /resources\.memory: got 5, takes no field of this name; known are cpu, .*memoryMB/,
    )
  })

  it('takes an object of another realm, and drops what is undefined', () => {
    assert.deepEqual(parseResources(runInNewContext('({ cpu: 5, pids: undefined })')), { cpu: 5 })
  })

  it('gives back a deeply frozen copy', () => {
    const original = { io: [{ device, readBps: 1 }], rlimits: { nofile: [1, 2] } }
    const copy = parseResources(original)
    original.io[0] = { device: 'changed', readBps: 0 }
    original.rlimits.nofile[0] = 9
    assert.deepEqual(copy, { io: [{ device, readBps: 1 }], rlimits: { nofile: [1, 2] } })
    for (const part of [copy, copy.io, copy.io?.[0], copy.rlimits, copy.rlimits?.nofile])
      assert.ok(Object.isFrozen(part))
  })

  it('judges the values it returns, not what a getter says the second time', () => {
    let reads = 0
    const shifty = {
      get cpu() {
        return reads++ === 0 ? 5 : -1
      },
    }
    assert.deepEqual(parseResources(shifty), { cpu: 5 })
    assert.equal(reads, 1)
  })

  it('refuses a cycle without falling into it', () => {
    const cycle: Record<string, unknown> = {}
    cycle.io = cycle
    assert.throws(
      () => parseResources(cycle),
      (error: unknown) => isRefusal(error, 'resources.io'),
    )
  })

  it('answers anything with plain JSON or a refusal, in a message of bounded length', () => {
    const names = fc.constantFrom(
      'cpu',
      'cpuLimit',
      'cpuset',
      'memoryMB',
      'memoryBytes',
      'io',
      'rlimits',
      'pids',
      'device',
      'nofile',
      'x',
    )
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.dictionary(names, fc.anything({ key: names, maxDepth: 3 }))),
        value => {
          try {
            const resources = parseResources(value)
            assert.deepEqual(JSON.parse(JSON.stringify(resources)), resources)
          } catch (error) {
            assert.ok(error instanceof HoldfastError, String(error))
            assert.equal(error.code, 'INVALID_ARGUMENT')
            assert.match(error.message, /^resources.*: got [\s\S]*, takes /)
            assert.ok(error.message.length < 800, error.message)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

function isRefusal(error: unknown, field: string): error is HoldfastError {
  assert.ok(error instanceof HoldfastError, String(error))
  assert.equal(error.code, 'INVALID_ARGUMENT')
  assert.ok(error.message.startsWith(`${field}: got `), error.message)
  return true
}
