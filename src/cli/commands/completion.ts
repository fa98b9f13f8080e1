import type { Command } from 'commander'
import { bashCompletion } from '../completion/bash.ts'
import { fishCompletion } from '../completion/fish.ts'
import { type Shape, type Shell, shapeOf, shells } from '../completion/shape.ts'
import { zshCompletion } from '../completion/zsh.ts'
import { invalidArgument } from '../../invalid-argument.ts'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function completionCommand(): Command {
  const command = subcommand('completion')
    .summary('print the completion script of a shell')
    .description(
      'Prints the script by which a shell (bash, zsh or fish) completes commands, flags and tasks.',
    )
    .argument('<SHELL>')
    .addHelpText('after', more)
  return carriedOutBy(command, async (_options, word = '') => {
    process.stdout.write(completion(word, command.parent ?? command))
    return 0
  })
}

const more = `
Examples:
  eval "$(holdfast completion bash)"        # in ~/.bashrc
  eval "$(holdfast completion zsh)"         # in ~/.zshrc, after compinit
  holdfast completion fish > ~/.config/fish/completions/holdfast.fish

Exit codes: 0; 1 for a shell that is none of them.`

const writers: Readonly<Record<Shell, (shape: Shape) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

/** `program` is the whole command line, which the completion is read from. */
function completion(word: string, program: Command): string {
  const shell = shells.find(name => name === word)
  if (shell === undefined) throw invalidArgument('SHELL', word, shells.join(', '))
  return writers[shell](shapeOf(program))
}
