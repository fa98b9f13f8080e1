import type { Command } from 'commander'
import { bashCompletion } from '../completion/bash.ts'
import { fishCompletion } from '../completion/fish.ts'
import { type Shape, type Shell, shapeOf, shells } from '../completion/shape.ts'
import { zshCompletion } from '../completion/zsh.ts'
import { UsageError } from '../usage-error.ts'

const writers: Readonly<Record<Shell, (shape: Shape) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

/** `program` is the whole command line, which the completion is read from. */
export async function completion([word = '']: readonly string[], program: Command): Promise<number> {
  const shell = shells.find(name => name === word)
  if (shell === undefined)
    throw new UsageError(`SHELL: got ${JSON.stringify(word)}, takes ${shells.join(', ')}`)
  process.stdout.write(writers[shell](shapeOf(program)))
  return 0
}
