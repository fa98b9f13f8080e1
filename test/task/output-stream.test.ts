import { strict as assert } from 'node:assert'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LogOptions, OutputChunk } from '../../src/api.ts'
import { OutputReader } from '../../src/task/output-reader.ts'
import { outputStream, readBytes } from '../../src/task/output-stream.ts'
import { openUnder } from '../support/descriptors.ts'
import { IndexedOutput } from '../support/indexed-output.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const textOf = ({ stream, bytes, unordered, lost }: OutputChunk) =>
  `${stream === 'stdout' ? 'o' : 'e'}${unordered ? '?' : ''}${lost === undefined ? '' : `!${lost}`}:${Buffer.from(bytes).toString()}`

describe('both streams of a task, in their order', () => {
  let output: IndexedOutput
  beforeEach(() => (output = new IndexedOutput(temporaryDirectory('output'))))
  afterEach(() => removeTemporary(output.dir))

  const read = async (options: LogOptions = {}): Promise<string[]> => {
    const texts: string[] = []
    for await (const chunk of outputStream(output.source, options)) texts.push(textOf(chunk))
    return texts
  }

  it('come as they were written, whichever was quicker to the disk', async () => {
    output.write('stdout', 'ask\n')
    output.write('stderr', 'warn\n')
    output.write('stdout', 'answer\n')
    assert.deepEqual(await read(), ['o:ask\n', 'e:warn\n', 'o:answer\n'])
  })

  it('bear the time at which they came', async () => {
    const times = [output.write('stdout', 'a'), output.write('stderr', 'b')]
    const chunks: OutputChunk[] = []
    for await (const chunk of outputStream(output.source)) chunks.push(chunk)
    assert.deepEqual(
      chunks.map(({ at }) => at),
      times,
    )
  })

  it('say of bytes without a record that their place is not known', async () => {
    output.write('stdout', 'a')
    output.writeUnnoted('stderr', 'lost its note')
    output.writeUnnoted('stdout', 'b')
    assert.deepEqual(await read(), ['o:a', 'o?:b', 'e?:lost its note'])
  })

  it('stay in order across rotations of one of them', async () => {
    output.write('stdout', 'one')
    output.rotate('stdout')
    output.write('stderr', 'between')
    output.write('stdout', 'two')
    assert.deepEqual(await read(), ['o:one', 'e:between', 'o:two'])
  })

  it('are those that are still there, of a log that was rotated often', async () => {
    for (let turn = 0; turn < 5; turn++) {
      output.write('stdout', `turn ${turn}`)
      output.rotate('stdout')
    }
    output.write('stdout', 'last')
    const texts = await read()
    assert.equal(texts.join(' '), 'o:turn 3 o:turn 4 o:last')
  })

  it('can be one of the two alone', async () => {
    output.write('stdout', 'a')
    output.write('stderr', 'b')
    assert.deepEqual(await read({ only: 'stderr' }), ['e:b'])
  })

  for (const [tail, expected] of [
    [1, ['e:d\n']],
    [2, ['o:c\n', 'e:d\n']],
    [3, ['o:b\nc\n', 'e:d\n'].map((text, index) => (index === 0 ? 'o:b\nc\n' : text))],
    [9, ['o:a\n', 'o:b\nc\n', 'e:d\n']],
  ] as const)
    it(`their last ${tail} lines are counted over both`, async () => {
      output.write('stdout', 'a\n')
      output.write('stdout', tail === 2 ? 'b\n' : 'b\nc\n')
      if (tail === 2) output.write('stdout', 'c\n')
      output.write('stderr', 'd\n')
      assert.deepEqual(await read({ tail }), expected)
    })

  it('a last line without an end is one', async () => {
    output.write('stdout', 'a\nb')
    assert.deepEqual(await read({ tail: 1 }), ['o:b'])
  })

  it('tail: 0 is nothing', async () => {
    output.write('stdout', 'a\n')
    assert.deepEqual(await read({ tail: 0 }), [])
  })

  it('since a time: only what came from then on', async () => {
    output.write('stdout', 'old')
    const since = output.write('stderr', 'then')
    output.write('stdout', 'new')
    assert.deepEqual(await read({ since }), ['e:then', 'o:new'])
    const bytes: string[] = []
    for await (const piece of readBytes(output.source, { since }, 'stdout'))
      bytes.push(Buffer.from(piece).toString())
    assert.deepEqual(bytes, ['new'])
  })

  it('in one file are one', () => {
    const one = { target: { base: output.dir, path: 'stdout' }, files: 3 }
    output.write('stdout', 'both')
    const reader = new OutputReader({ ...output.source, log: () => one }, ['stdout', 'stderr'], {})
    assert.deepEqual([...reader.present()].map(textOf), ['o:both'])
    reader.close()
  })

  it('one that is no file leaves the other readable; two are refused', async () => {
    output.write('stdout', 'a')
    rmSync(output.path('stderr'))
    mkdirSync(output.path('stderr'))
    assert.deepEqual(await read(), ['o:a'])
    await assert.rejects(read({ only: 'stderr' }), { code: 'UNSUPPORTED' })
  })

  it('one that is not there yet is empty', async () => {
    rmSync(output.path('stderr'))
    output.write('stdout', 'a')
    assert.deepEqual(await read(), ['o:a'])
  })

  it('without an index each keeps its own order', async () => {
    rmSync(join(output.dir, 'output.index'))
    output.writeUnnoted('stdout', 'ab')
    output.writeUnnoted('stderr', 'c')
    assert.deepEqual(await read(), ['o?:ab', 'e?:c'])
  })

  describe('followed', () => {
    beforeEach(() => (output.writing = true))

    it('come as they are written, and end when the task has ended and all is read', async () => {
      output.write('stdout', 'before')
      const follower = outputStream(output.source, { follow: true })[Symbol.asyncIterator]()
      const next = async () => {
        const { done, value } = await follower.next()
        return done ? null : textOf(value)
      }
      assert.equal(await next(), 'o:before')
      output.write('stderr', 'after')
      assert.equal(await next(), 'e:after')
      output.write('stdout', 'at last')
      output.end()
      assert.equal(await next(), 'o:at last')
      assert.equal(await next(), null)
      assert.equal(output.holders, 0)
    })

    it('from now on leave out what was there', async () => {
      output.write('stdout', 'before')
      const reader = new OutputReader(output.source, ['stdout', 'stderr'], { fromStart: false })
      output.write('stderr', 'after')
      assert.deepEqual([...(reader.next(true) ?? [])].map(textOf), ['e:after'])
      assert.equal(reader.next(true), null)
      reader.close()
    })

    it('give what waits for its record in vain all the same', () => {
      const reader = new OutputReader(output.source, ['stdout', 'stderr'], {})
      output.writeUnnoted('stdout', 'x')
      assert.equal(reader.next(true), null)
      assert.deepEqual([...reader.overdue()].map(textOf), ['o?:x'])
      assert.deepEqual([...reader.overdue()].map(textOf), [])
      reader.close()
    })

    it('hold the program, and no file once nobody reads any more', async () => {
      const before = openUnder(output.dir)
      output.write('stdout', 'a')
      const follower = outputStream(output.source, { follow: true })[Symbol.asyncIterator]()
      await follower.next()
      assert.equal(output.holders, 1)
      const waiting = follower.next()
      await follower.return?.()
      assert.equal((await waiting).done, true)
      assert.deepEqual([output.holders, openUnder(output.dir)], [0, before])
    })
  })
})
