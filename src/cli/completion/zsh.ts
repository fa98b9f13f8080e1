import { type CommandShape, type FlagShape, listTasks, type Shape, shells } from './shape.ts'

/** For zsh 5, by _arguments of its own completion system. */
export function zshCompletion({ flags, commands }: Shape): string {
  return `#compdef holdfast
# Completion of holdfast for zsh. In ~/.zshrc, after compinit: eval "$(holdfast completion zsh)"
_holdfast_tasks() {
  local -a tasks
  tasks=(\${(f)"$(${listTasks})"})
  _describe task tasks
}
_holdfast_commands() {
  local -a commands
  commands=(
${commands.map(({ name, help }) => `    ${quoted(`${name}:${help}`)}`).join('\n')}
  )
  _describe command commands
}
_holdfast() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -C ${flags.flatMap(specs).join(' ')} '1:command:_holdfast_commands' '*::word:->words'
  [[ $state == words ]] || return
  case $line[1] in
${commands.map(branch).join('\n')}
  esac
}
compdef _holdfast holdfast
`
}

function branch({ name, flags, operands }: CommandShape): string {
  return `    ${name}) _arguments -S ${[...flags.flatMap(specs), ...operandSpecs(name, operands)].join(' ')} ;;`
}

function operandSpecs(name: string, operands: CommandShape['operands']): string[] {
  if (name === 'help') return ["'1:command:_holdfast_commands'"]
  switch (operands) {
    case 'task':
      return ["'1:task:_holdfast_tasks'"]
    case 'tasks':
      return ["'*:task:_holdfast_tasks'"]
    case 'program':
      return ["'*::program:_normal'"]
    case 'task-and-program':
      return ["'1:task:_holdfast_tasks'", "'*::program:_normal'"]
    case 'shell':
      return [`'1:shell:(${shells.join(' ')})'`]
    case 'none':
      return []
  }
}

/** One for each name; those of a flag that comes once exclude each other. */
function specs({ names, takesValue, repeats, words, help }: FlagShape): string[] {
  const others = repeats ? '*' : `(${names.join(' ')})`
  const taken = words.length > 0 ? `(${words.join(' ')})` : '_files'
  const value = takesValue ? `:value:${taken}` : ''
  return names.map(name => quoted(`${others}${name}[${help.replace(/[[\]:\\]/g, '\\$&')}]${value}`))
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
