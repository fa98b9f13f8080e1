import type { Command } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function completionCommand(): Command {
  const command = subcommand('completion')
    .summary('print what a shell completes holdfast by')
    .description('Prints the completion of commands, flags and tasks for a shell: bash, zsh or fish.')
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
