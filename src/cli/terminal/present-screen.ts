import serializing from '@xterm/addon-serialize'
import emulating from '@xterm/headless'
import type { TerminalSize } from '../../index.ts'
import { ScreenModes } from './screen-modes.ts'

/** Of what a task has shown, the last part says what is on its screen; the modes before that are kept. */
const maxRead = 1 << 20
/**
 * What is in the log comes at once; a pause is its end. What is read too late, or too soon, is only shown
 * later, or as it comes.
 */
const pauseMs = 50
const maxWaitMs = 2000

/**
 * Reads what a task has shown so far; what draws the screen that it has now on another terminal, of that
 * size.
 */
export async function untilShown(
  output: AsyncIterator<Uint8Array>,
  size: TerminalSize,
): Promise<{ readonly screen: Uint8Array; readonly next: Promise<IteratorResult<Uint8Array>> }> {
  const modes = new ScreenModes()
  const pieces: Uint8Array[] = []
  let kept = 0
  const deadline = performance.now() + maxWaitMs
  for (;;) {
    const next = output.next()
    const piece = performance.now() > deadline ? null : await Promise.race([next, pause()])
    if (piece === null || piece.done) return { screen: await drawn(modes.redo, pieces, size), next }
    pieces.push(piece.value)
    kept += piece.value.length
    while (kept - (pieces[0]?.length ?? 0) > maxRead) {
      const [old] = pieces.splice(0, 1)
      if (old === undefined) break
      modes.read(old)
      kept -= old.length
    }
  }
}

async function drawn(
  before: string,
  pieces: readonly Uint8Array[],
  { rows, columns }: TerminalSize,
): Promise<Uint8Array> {
  const terminal = new emulating.Terminal({ rows, cols: columns, scrollback: 0, allowProposedApi: true })
  const serializer = new serializing.SerializeAddon()
  terminal.loadAddon(serializer)
  terminal.write(before)
  for (const piece of pieces) terminal.write(piece)
  await new Promise<void>(resolve => terminal.write('', resolve))
  const screen = serializer.serialize()
  terminal.dispose()
  return Buffer.from(screen)
}

function pause(): Promise<null> {
  return new Promise(resolve => setTimeout(() => resolve(null), pauseMs).unref())
}
