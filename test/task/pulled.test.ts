import { strict as assert } from 'node:assert'
import { lastValueFrom, take, toArray } from 'rxjs'
import { pull, type Pull, streamed } from '../../src/task/pulled.ts'

/** `stopped`: whether what it waits for was ended. */
function counting(pieces: readonly Uint8Array[], after: Promise<void> = Promise.resolve()) {
  const state = { reads: 0, stopped: false }
  const read = (): Pull<Uint8Array> => {
    state.reads++
    return pull(
      (async function* () {
        yield* pieces
        await after
      })(),
      () => (state.stopped = true),
    )
  }
  return { state, stream: streamed(read) }
}

const bytes = (size: number) => new Uint8Array(size)
const three = [bytes(1), bytes(2), bytes(3)]

describe('a stream that is read as it is asked for', () => {
  it('is read anew for each who subscribes or iterates, and by nobody before', async () => {
    const { state, stream } = counting(three)
    assert.equal(state.reads, 0)
    assert.deepEqual(await lastValueFrom(stream.pipe(toArray())), three)
    const seen: Uint8Array[] = []
    for await (const piece of stream) seen.push(piece)
    assert.deepEqual([seen, state.reads], [three, 2])
  })

  it('ends its wait when nobody asks any more, subscribed or iterated', async () => {
    let goOn = (): void => {}
    const after = new Promise<void>(resolve => (goOn = resolve))
    const subscribed = counting(three, after)
    await lastValueFrom(subscribed.stream.pipe(take(3)))
    assert.equal(subscribed.state.stopped, true)
    const iterated = counting(three, after)
    for await (const piece of iterated.stream) if (piece.length === 2) break
    assert.equal(iterated.state.stopped, true)
    goOn()
  })

  it('lets the other work of the program have its turn after a megabyte, and not before', async () => {
    for (const [size, turns] of [
      [400_000, true],
      [10, false],
    ] as const) {
      let turned = false
      setImmediate(() => (turned = true))
      for await (const _ of counting([bytes(size), bytes(size), bytes(size)]).stream);
      assert.equal(turned, turns, `pieces of ${size} bytes`)
    }
  })

  it('fails as what it reads from does', async () => {
    const failing = async function* (): AsyncGenerator<Uint8Array, void> {
      yield bytes(1)
      throw new Error('unreadable')
    }
    const stream = streamed(() => pull(failing(), () => {}))
    await assert.rejects(lastValueFrom(stream), /unreadable/)
  })
})
