import { strict as assert } from 'node:assert'
import { lastValueFrom, takeUntil, toArray } from 'rxjs'
import { KeepAlive, type LoopHandle } from '../../src/spawn/keep-alive.ts'
import { aborted, deadline, pauseUntil } from '../../src/task/deadline.ts'

/** Says what is left one word after the other, the last again and again. */
function leaving(...words: number[]): { left: () => number; asked: () => number } {
  let asked = 0
  return { left: () => words[Math.min(asked++, words.length - 1)] ?? 0, asked: () => asked }
}

class Handles extends KeepAlive {
  open = 0

  override add(handle: LoopHandle): () => void {
    this.open++
    const forget = super.add(handle)
    return () => {
      this.open--
      forget()
    }
  }
}

describe('a deadline', () => {
  it('that has passed is over at once, without a timer', async () => {
    const handles = new Handles()
    let over = 0
    deadline(() => 0, handles).subscribe(() => over++)
    assert.deepEqual([over, handles.open], [1, 0])
  })

  it('is over once, when nothing is left, however often its timer was early', async () => {
    const { left, asked } = leaving(2, 2, 2, 2, 0)
    const handles = new Handles()
    const hold = handles.hold()
    assert.equal((await lastValueFrom(deadline(left, handles).pipe(toArray()))).length, 1)
    hold()
    assert.ok(asked() >= 5)
    assert.equal(handles.open, 0)
  })

  it('that is far away is asked for again, and may have come nearer', async () => {
    const { left } = leaving(3_600_000, 3_600_000, 0)
    const handles = new Handles()
    const hold = handles.hold()
    await lastValueFrom(deadline(left, handles, 1))
    hold()
  })

  it('leaves no timer behind when nobody waits for it any more', () => {
    const handles = new Handles()
    const waiting = deadline(() => 3_600_000, handles).subscribe()
    assert.equal(handles.open, 1)
    waiting.unsubscribe()
    assert.equal(handles.open, 0)
  })

  it('has a timer that keeps the program running only while somebody waits for a task', () => {
    let timer: NodeJS.Timeout | undefined
    class Seen extends KeepAlive {
      override add(handle: LoopHandle): () => void {
        timer = handle as NodeJS.Timeout
        return super.add(handle)
      }
    }
    const keepAlive = new Seen()
    const waiting = deadline(() => 3_600_000, keepAlive).subscribe()
    assert.equal(timer?.hasRef(), false)
    const release = keepAlive.hold()
    assert.equal(timer?.hasRef(), true)
    release()
    waiting.unsubscribe()
  })

  it('is let go of when it is abandoned, before or while it is waited for', async () => {
    const handles = new Handles()
    const control = new AbortController()
    const values = lastValueFrom(
      deadline(() => 3_600_000, handles).pipe(takeUntil(aborted(control.signal)), toArray()),
    )
    const pause = pauseUntil(() => 3_600_000, control.signal, handles)
    control.abort()
    assert.deepEqual(await values, [])
    await pause
    await pauseUntil(() => 3_600_000, control.signal, handles)
    assert.equal(handles.open, 0)
  })
})
