import { type CommandShape, type FlagShape, listTasks, type Shape, shells } from './shape.ts'

/** For bash 4 and later; needs nothing of bash-completion. */
export function bashCompletion({ flags, commands }: Shape): string {
  return `# Completion of holdfast for bash. In ~/.bashrc: eval "$(holdfast completion bash)"
_holdfast() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command='' words='' values=' --state-dir ' choices='' tasks='' program='' operand='' operands=0 i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      --state-dir) ((i++)) ;;
      -*) ;;
      *) command="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  case "$command" in
    '') words=${quoted([...names(flags), ...commands.map(({ name }) => name)])} ;;
    help) words=${quoted(commands.map(({ name }) => name))} ;;
${commands
  .filter(({ name }) => name !== 'help')
  .map(branch)
  .join('\n')}
    *) return ;;
  esac
  # A flag's value, and the words of a program that is run: as any file or command.
  if [[ -n "$command" ]]; then
    for ((i++; i < COMP_CWORD; i++)); do
      case "\${COMP_WORDS[i]}" in
        --) ((operands++)) ; program=now; break ;;
        -*) [[ "$values" == *" \${COMP_WORDS[i]} "* ]] && ((i++)) ;;
        *) ((operands++)); [[ -n "$program" ]] && { [[ -z "$tasks" ]] || ((operands > 1)); } && { program=now; break; } ;;
      esac
    done
    [[ "$program" == now ]] && return
  fi
  if ((i > COMP_CWORD)); then
    for words in $choices; do
      [[ "$words" == "\${COMP_WORDS[COMP_CWORD - 1]}="* ]] || continue
      words="\${words#*=}"
      COMPREPLY=($(compgen -W "\${words//,/ }" -- "$current"))
    done
    return
  fi
  if [[ "$current" == -* || -z "$command" || "$command" == help ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [[ "$tasks" == many || ( -n "$tasks" && $operands == 0 ) ]]; then
    COMPREPLY=($(compgen -W "$(${listTasks})" -- "$current"))
  elif ((operands == 0)); then
    COMPREPLY=($(compgen -W "$operand" -- "$current"))
  fi
}
complete -o bashdefault -o default -F _holdfast holdfast
`
}

function branch({ name, flags, operands }: CommandShape): string {
  const tasks = operands === 'tasks' ? 'many' : operands.startsWith('task') ? 'one' : ''
  const program = operands.endsWith('program') ? 'yes' : ''
  const operand = operands === 'shell' ? shells : []
  const taking = flags.filter(({ takesValue }) => takesValue)
  return `    ${name}) words=${quoted(names(flags))} values=${quoted(['', ...names(taking), ''])} choices=${quoted(choices(flags))} tasks='${tasks}' program='${program}' operand=${quoted(operand)} ;;`
}

/** `--network=host,none`. */
const choices = (flags: readonly FlagShape[]): string[] =>
  flags.flatMap(({ names, words }) =>
    words.length > 0 ? names.map(name => `${name}=${words.join(',')}`) : [],
  )

const names = (flags: readonly FlagShape[]): string[] => flags.flatMap(flag => flag.names)
const quoted = (words: readonly string[]): string => `'${words.join(' ')}'`
