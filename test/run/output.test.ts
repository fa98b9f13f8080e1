import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import type { OutputChunk } from '../../src/index.ts'
import { CollectedOutput } from '../../src/run/collected-output.ts'
import { outputLines } from '../../src/run/output-lines.ts'

const chunk = (stream: 'stdout' | 'stderr', bytes: Uint8Array | string, at = 0): OutputChunk => ({
  stream,
  at: new Date(at),
  bytes: Buffer.from(bytes),
})

async function* iterated(chunks: readonly OutputChunk[]): AsyncGenerator<OutputChunk> {
  yield* chunks
}

async function linesOf(...chunks: OutputChunk[]): Promise<string[]> {
  const lines: string[] = []
  for await (const { stream, line, at } of outputLines(iterated(chunks)))
    lines.push(`${stream} ${at.getTime()} ${line}`)
  return lines
}

describe('collected output', () => {
  it('is each stream by itself, and both in the order in which they came', () => {
    const output = new CollectedOutput(100)
    for (const part of [chunk('stdout', 'a'), chunk('stderr', 'b'), chunk('stdout', 'c')]) output.add(part)
    assert.deepEqual(output.text(), { stdout: 'ac', stderr: 'b', output: 'abc', truncated: false })
  })

  it('a character whose bytes come in two pieces stays whole, whatever the other stream says between them', () => {
    const [first = 0, ...rest] = Buffer.from('é')
    const output = new CollectedOutput(100)
    output.add(chunk('stdout', Buffer.from([first])))
    output.add(chunk('stderr', 'x'))
    output.add(chunk('stdout', Buffer.from(rest)))
    assert.deepEqual(output.text(), { stdout: 'é', stderr: 'x', output: 'xé', truncated: false })
  })

  it('exactly as much as is kept is not truncated; a byte more is, of that stream alone', () => {
    const output = new CollectedOutput(3)
    assert.equal(output.add(chunk('stdout', 'abc')), true)
    assert.equal(output.text().truncated, false)
    assert.equal(output.add(chunk('stdout', 'd')), true)
    assert.equal(output.add(chunk('stderr', 'ef')), true)
    assert.deepEqual(output.text(), { stdout: 'abc', stderr: 'ef', output: 'abcef', truncated: true })
    assert.equal(output.add(chunk('stderr', 'gh')), false, 'nothing more need be read')
    assert.equal(output.text().stderr, 'efg')
  })

  it('bytes that were lost before they could be read are said', () => {
    const output = new CollectedOutput(100)
    output.add({ ...chunk('stdout', 'a'), lost: 5 })
    assert.equal(output.text().truncated, true)
  })
})

describe('output as lines', () => {
  it('come in the order in which they ended, with the time at which they began', async () => {
    assert.deepEqual(
      await linesOf(
        chunk('stdout', 'on', 1),
        chunk('stderr', 'warning\n', 2),
        chunk('stdout', 'e\ntwo\nthr', 3),
        chunk('stdout', 'ee', 4),
      ),
      ['stderr 2 warning', 'stdout 1 one', 'stdout 3 two', 'stdout 3 three'],
    )
  })

  it('end with \\n or \\r\\n, may be empty, and may hold anything else', async () => {
    assert.deepEqual(await linesOf(chunk('stdout', 'a\r\n\n\u2028b\rc\n')), [
      'stdout 0 a',
      'stdout 0 ',
      'stdout 0 \u2028b\rc',
    ])
    assert.deepEqual(await linesOf(), [])
  })

  it('are the same however the bytes were cut', async () => {
    const text = fc
      .array(fc.constantFrom('a', 'é', '漢', '\n', '😀'), { maxLength: 30 })
      .map(parts => parts.join(''))
    await fc.assert(
      fc.asyncProperty(text, fc.nat(8), async (whole, size) => {
        const bytes = Buffer.from(whole)
        const pieces: OutputChunk[] = []
        for (let at = 0; at < bytes.length; at += size + 1)
          pieces.push(chunk('stdout', bytes.subarray(at, at + size + 1)))
        const expected = whole.split('\n')
        if (expected.at(-1) === '') expected.pop()
        assert.deepEqual(
          await linesOf(...pieces),
          expected.map(line => `stdout 0 ${line}`),
        )
      }),
    )
  })

  it('one that never ends is given in pieces', async () => {
    const lines = await linesOf(...Array.from({ length: 40 }, () => chunk('stdout', 'x'.repeat(64 * 1024))))
    assert.ok(lines.length >= 2)
    assert.equal(lines.map(line => line.slice('stdout 0 '.length)).join('').length, 40 * 64 * 1024)
  })
})
