import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { OutputSource } from '../../src/task/output-reader.ts'
import { outputStream } from '../../src/task/output-stream.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const entryBytes = 40
const log = Array.from({ length: 400 }, (_, line) => `line ${line}\n`).join('')

/** Every number that an entry or a header can hold, the odd ones above all. */
const word = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc.bigInt(0n, 6000n),
  fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 53n - 1n, 2n ** 63n, 2n ** 64n - 1n),
)
const entry = fc.record({
  at: word,
  inode: word,
  position: word,
  length: word.map(value => Number(value & 0xffffffffn)),
  generation: fc.oneof(fc.constantFrom(0, 1, 2, 2 ** 32 - 1), fc.nat(5)),
  stream: fc.constantFrom(0, 1, 2, 2 ** 32 - 1),
})
const header = fc.record({ stdout: word, stderr: word })

describe('an index of output that a hostile task has written', () => {
  let dir = ''
  beforeEach(() => {
    dir = temporaryDirectory('index')
    for (const name of ['stdout', 'stdout.1', 'stderr']) writeFileSync(join(dir, name), log)
  })
  afterEach(() => removeTemporary(dir))

  it('whatever its numbers: reading ends, gives no byte twice, and throws nothing', () => {
    const property = fc.asyncProperty(header, fc.array(entry, { maxLength: 40 }), async (first, entries) => {
      writeFileSync(indexPath(dir), Buffer.concat([headerOf(first), ...entries.map(entryOf)]))
      for (const options of [{}, { tail: 3 }, { since: new Date(5) }, { follow: true }]) {
        const chunks = await all(dir, options)
        for (const { at } of chunks) assert.ok(!Number.isNaN(at.getTime()))
        const given = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
        assert.ok(given <= 3 * log.length, `${given} bytes`)
      }
    })
    return fc.assert(property, { numRuns: 50 })
  })

  it('whatever its bytes: the same', () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async bytes => {
      writeFileSync(indexPath(dir), bytes)
      const given = (await all(dir, {})).map(({ bytes: piece }) => Buffer.from(piece).toString())
      assert.equal(given.join('').length, 3 * log.length)
    })
    return fc.assert(property, { numRuns: 100 })
  })

  it('a hole of eight exabytes holds nobody up', async () => {
    writeFileSync(indexPath(dir), headerOf({ stdout: 2n, stderr: 0n }))
    truncateSync(indexPath(dir), largestFile(dir))
    const given = await all(dir, { tail: 1 })
    assert.ok(given.length > 0)
  })

  const others: Record<string, (path: string) => void> = {
    'a FIFO': path => execFileSync('mkfifo', [path]),
    'a directory': path => mkdirSync(path),
    'a link': path => symlinkSync('/etc/passwd', path),
  }
  for (const [what, make] of Object.entries(others))
    it(`${what} in its place is neither waited for nor followed: it is named`, async () => {
      make(indexPath(dir))
      await assert.rejects(all(dir, {}), { name: 'HoldfastError', path: indexPath(dir) })
    })

  it('control: an honest one puts the streams into their order', async () => {
    const [one, two] = [
      { at: 1000n, inode: 0n, position: 0n, length: 7, generation: 1, stream: 0 },
      { at: 2000n, inode: 0n, position: 0n, length: 7, generation: 0, stream: 1 },
    ]
    writeFileSync(
      indexPath(dir),
      Buffer.concat([headerOf({ stdout: 2n, stderr: 0n }), entryOf(two), entryOf(one)]),
    )
    const given = await all(dir, {})
    const streams = given.map(({ stream, unordered }) => `${stream}${unordered ? '?' : ''}`)
    assert.deepEqual(streams.slice(0, 3), ['stderr', 'stdout?', 'stdout'])
  })
})

const indexPath = (dir: string): string => join(dir, 'output.index')

async function all(dir: string, options: { tail?: number; since?: Date; follow?: boolean }) {
  const source: OutputSource = {
    dir,
    indexFiles: () => 4,
    writing: () => false,
    onEnd: () => () => {},
    hold: () => () => {},
    log: stream => ({ target: { base: null, path: join(dir, stream) }, files: 4 }),
  }
  const chunks = []
  for await (const chunk of outputStream(source, options)) chunks.push(chunk)
  return chunks
}

function headerOf({ stdout, stderr }: { stdout: bigint; stderr: bigint }): Buffer {
  const bytes = Buffer.alloc(entryBytes)
  bytes.write('HFINDEX', 'latin1')
  bytes.writeBigUInt64LE(1n, 8)
  bytes.writeBigUInt64LE(stdout, 16)
  bytes.writeBigUInt64LE(stderr, 24)
  return bytes
}

function entryOf(fields: {
  at: bigint
  inode: bigint
  position: bigint
  length: number
  generation: number
  stream: number
}): Buffer {
  const bytes = Buffer.alloc(entryBytes)
  bytes.writeBigUInt64LE(fields.at, 0)
  bytes.writeBigUInt64LE(fields.inode, 8)
  bytes.writeBigUInt64LE(fields.position, 16)
  bytes.writeUInt32LE(fields.length, 24)
  bytes.writeUInt32LE(fields.generation, 28)
  bytes.writeUInt32LE(fields.stream, 32)
  bytes.writeUInt32LE(checkOf(bytes), 36)
  return bytes
}

/** FNV-1a, as docs/native-protocol.md has it. */
function checkOf(bytes: Uint8Array): number {
  return bytes.subarray(0, 36).reduce((sum, byte) => Math.imul(sum ^ byte, 16777619) >>> 0, 2166136261)
}

/** As large as this file system makes one. */
function largestFile(dir: string): number {
  const probe = join(dir, 'probe')
  writeFileSync(probe, '')
  for (let size = 2 ** 53 - 1; ; size = Math.floor(size / 2))
    try {
      truncateSync(probe, size)
      return size
    } catch {
      assert.ok(readFileSync(probe).length === 0 && size > 2 ** 30)
    }
}
