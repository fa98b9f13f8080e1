import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseReply, type Reply, ReplyReader } from '../../src/spawn/wire.ts'

const started: Reply = {
  kind: 'started',
  id: 3,
  shim: { pid: 100, startTime: 5000 },
  task: { pid: 102, startTime: 5001 },
  startedAt: 1_800_000_000_123,
}

describe('parseReply', () => {
  for (const [line, reply] of [
    ['ready 0.1.0 {"seccomp":true}', { kind: 'ready', version: '0.1.0', features: { seccomp: true } }],
    ['started 3 100 5000 102 5001 1800000000123', started],
    ['failed 4 exec 2 /bin/nope', { kind: 'failed', id: 4, stage: 'exec', errno: 2, detail: '/bin/nope' }],
    ['failed 4 request 22 ', { kind: 'failed', id: 4, stage: 'request', errno: 22, detail: '' }],
    ['failed 4 fork 11', { kind: 'failed', id: 4, stage: 'fork', errno: 11, detail: '' }],
    [
      'failed 4 mount 0 a\\x0ab \\x5cx41 \\xc3\\xa9 é',
      { kind: 'failed', id: 4, stage: 'mount', errno: 0, detail: 'a\nb \\x41 é é' },
    ],
    ['failed 4 mount 0 \\x4 \\y', { kind: 'failed', id: 4, stage: 'mount', errno: 0, detail: '\\x4 \\y' }],
    ['ended 8', { kind: 'ended', id: 8 }],
    ['gone 2147483647', { kind: 'gone', id: 2147483647 }],
  ] as [string, Reply][]) {
    it(`reads ${line}`, () => assert.deepEqual(parseReply(line), reply))
  }

  for (const line of [
    '',
    'gone',
    'gone 0',
    'ended 0',
    'ended',
    'gone 2147483648',
    'gone 1 ',
    'gone -1',
    'gone 1e3',
    'started 3 100 5000 102 5001',
    'started 3 0 5000 102 5001 1',
    'started 3 100 5000 102 5001 99999999999999999999',
    'failed 4 exec',
    'failed x exec 2 y',
    'failed 4 exec ENOENT y',
    'ready',
    'ready 1 {',
    'ready 1 []',
    'ready 1 null',
    ' gone 1',
    'Gone 1',
  ]) {
    it(`takes ${JSON.stringify(line)} for no reply`, () =>
      assert.deepEqual(parseReply(line), { kind: 'unknown', line }))
  }

  it('never throws', () => {
    const word = fc.constantFrom(
      'ready',
      'started',
      'failed',
      'ended',
      'gone',
      ' ',
      '1',
      '{',
      '}',
      '\\x',
      '-',
      '999999999999',
    )
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(word).map(words => words.join(' ')),
    )
    fc.assert(fc.property(line, text => typeof parseReply(text).kind === 'string'))
  })

  it('gives back any detail that was escaped as the protocol says', () => {
    fc.assert(
      fc.property(fc.string(), detail => {
        const escaped = detail.replace(/[\\\p{Cc}]/gu, character =>
          [...Buffer.from(character)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
        )
        assert.deepEqual(parseReply(`failed 1 exec 2 ${escaped}`), {
          kind: 'failed',
          id: 1,
          stage: 'exec',
          errno: 2,
          detail,
        })
      }),
    )
  })
})

describe('ReplyReader', () => {
  const line = fc.oneof(
    fc.nat({ max: 2 ** 31 - 2 }).map(id => `gone ${id + 1}`),
    fc.constant('started 3 100 5000 102 5001 1800000000123'),
    fc.string({ unit: 'grapheme' }).map(text => `failed 9 exec 2 ${text.replaceAll('\n', '')}`),
    fc.string({ unit: 'grapheme' }).map(text => text.replaceAll('\n', '')),
  )

  it('reads the same replies whatever the chunks, even cut inside a character', () => {
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat({ max: 40 })), fc.boolean(), (lines, cuts, asText) => {
        const bytes = Buffer.from(lines.map(text => `${text}\n`).join(''))
        const reader = new ReplyReader()
        const replies: Reply[] = []
        let at = 0
        for (const size of cuts) {
          replies.push(...reader.push(bytes.subarray(at, at + size)))
          at += size
        }
        const rest = bytes.subarray(at)
        replies.push(...reader.push(asText && at === 0 ? rest.toString() : rest))
        assert.deepEqual(
          replies,
          lines.map(text => parseReply(Buffer.from(text).toString())),
        )
      }),
    )
  })

  it('holds back an unfinished line, and keeps no hand on the chunk it came in', () => {
    const reader = new ReplyReader()
    const chunk = Buffer.from('gone 1\ngone 2')
    assert.deepEqual(reader.push(chunk), [{ kind: 'gone', id: 1 }])
    chunk.fill('x')
    assert.deepEqual(reader.push('3\n'), [{ kind: 'gone', id: 23 }])
  })

  for (const size of [1000, 70_000, 300_000]) {
    it(`gives up on an endless line in chunks of ${size}, shortly told, and reads on after it`, () => {
      const reader = new ReplyReader()
      const endless = Buffer.from(`${'a'.repeat(299_999)}\ngone 5\n`)
      const replies: Reply[] = []
      for (let at = 0; at < endless.length; at += size)
        replies.push(...reader.push(endless.subarray(at, at + size)))
      assert.deepEqual(replies, [
        { kind: 'unknown', line: 'a'.repeat(200) },
        { kind: 'gone', id: 5 },
      ])
    })
  }
})
