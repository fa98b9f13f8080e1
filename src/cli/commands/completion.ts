import type { Command } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function completionCommand(): Command {
  const command = subcommand('completion')
    .summary('print the completion script of a shell')
    .description(
      'Prints the script by which a shell (bash, zsh or fish) completes commands, flags and tasks.',
    )
    .argument('<SHELL>')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => {
    const { completion } = await import('../actions/completion.ts')
    return words => completion(words, command.parent ?? command)
  })
}

const more = `
Examples:
  eval "$(holdfast completion bash)"        # in ~/.bashrc
  eval "$(holdfast completion zsh)"         # in ~/.zshrc, after compinit
  holdfast completion fish > ~/.config/fish/completions/holdfast.fish

Exit codes: 0; 1 for a shell that is none of them.`
