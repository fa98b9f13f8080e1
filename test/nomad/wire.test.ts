import assert from 'node:assert/strict'
import { codec } from '../../src/nomad/wire/codec.ts'
import { driverService } from '../../src/nomad/wire/services.ts'
import { milliseconds, never, timestamp } from '../../src/nomad/wire/time.ts'

const drivers = 'hashicorp.nomad.plugins.drivers.proto'
const hex = (name: string, value: object) => codec(name).encode(value).toString('hex')

/** Bytes worked out by hand from the numbers and types: tag = number << 3 | wire type. */
describe("Nomad's messages", () => {
  it('have the field numbers that are easy to get wrong', () => {
    // Spec.Attr is field 3, its name 1.
    assert.equal(hex('hashicorp.nomad.plugins.shared.hclspec.Spec', { Attr: { name: 'x' } }), '1a030a0178')
    // CPUUsage.measured_fields is 7, packed; MemoryUsage's is 6.
    assert.equal(hex(`${drivers}.CPUUsage`, { measured_fields: [5, 2] }), '3a020502')
    assert.equal(hex(`${drivers}.MemoryUsage`, { measured_fields: [0, 5] }), '32020005')
    assert.equal(hex(`${drivers}.MemoryUsage`, { usage: 1, swap: 2 }), '38014002')
    // LinuxResources.PercentTicks is 8, a double; 7 is reserved.
    assert.equal(hex(`${drivers}.LinuxResources`, { PercentTicks: 0.5 }), '41000000000000e03f')
    assert.equal(
      hex(`${drivers}.AllocatedMemoryResources`, { memory_mb: 3, memory_max_mb: -1 }),
      '100318ffffffffffffffffff01',
    )
    // DriverCapabilities: 7 is reserved, the modes are packed.
    assert.equal(
      hex(`${drivers}.DriverCapabilities`, {
        send_signals: true,
        network_isolation_modes: [0, 1, 3],
        disable_log_collection: true,
      }),
      '080122030001034001',
    )
  })

  it('tell an absent message from an empty one, and keep large and negative numbers', () => {
    const streaming = codec(`${drivers}.ExecTaskStreamingRequest`)
    assert.deepEqual(streaming.decode(streaming.encode({})), { setup: null, tty_size: null, stdin: null })
    const { stdin } = streaming.decode(streaming.encode({ stdin: {} }))
    assert.deepEqual(stdin, { data: Buffer.alloc(0), close: false })
    const time = codec('google.protobuf.Timestamp')
    assert.deepEqual(time.decode(time.encode(never)), never)
  })

  it('have a handler for every call, on the path that Go asks for', () => {
    assert.equal(Object.keys(driverService).length, 18)
    assert.equal(driverService.TaskEvents?.path, `/${drivers}.Driver/TaskEvents`)
  })

  it('have times with their nanoseconds', () => {
    assert.deepEqual(timestamp(new Date(1500)), { seconds: 1, nanos: 500_000_000 })
    assert.equal(milliseconds({ seconds: 2, nanos: 5_000_000 }), 2005)
    assert.equal(milliseconds(null), null)
  })
})
