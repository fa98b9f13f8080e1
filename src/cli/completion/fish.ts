import { type CommandShape, type FlagShape, listTasks, type Shape, shells } from './shape.ts'

/** For fish 3. */
export function fishCompletion({ flags, commands }: Shape): string {
  const all = commands.map(({ name }) => name).join(' ')
  const lines = [
    '# Completion of holdfast for fish: holdfast completion fish > ~/.config/fish/completions/holdfast.fish',
    reader(flags, commands),
    'complete -c holdfast -f',
    ...flags.map(flag => `${within()}${flagWords(flag)}`),
    ...commands.map(({ name, help }) => `${within()} -a ${name} -d ${quoted(help)}`),
    `${within('help')} -a '${all}'`,
    ...commands.flatMap(linesOf),
  ]
  return `${lines.join('\n')}\n`
}

/**
 * `__holdfast_read` says where in the line the cursor is: of which command, and whether among its own words
 * or, from `--` or the word that is its program's name, among those of the program.
 */
function reader(flags: readonly FlagShape[], commands: readonly CommandShape[]): string {
  const cases = commands.map(({ name, flags, operands }) => {
    const before = operands === 'program' ? 0 : operands === 'task-and-program' ? 1 : -1
    return `                    case ${name}\n                        set before ${before}; set values ${valuesOf(flags)}`
  })
  return `function __holdfast_read
    set -g __holdfast_command ''
    set -g __holdfast_phase own
    set -g __holdfast_program
    set -g __holdfast_before -1
    set -l before -1
    set -l values ${valuesOf(flags)}
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        set -l word $words[1]
        set -e words[1]
        if contains -- $word $values
            set -e words[1]
        else if test "$word" = -- -a $before -ge 0
            set __holdfast_phase program
            set __holdfast_program $words
            break
        else if not string match -q -- '-*' $word
            if test -z "$__holdfast_command"
                set __holdfast_command $word
                switch $word
${cases.join('\n')}
                end
            else if test $before -eq 0
                set __holdfast_phase program
                set __holdfast_program $word $words
                break
            else
                set before (math $before - 1)
            end
        end
    end
    set __holdfast_before $before
end
function __holdfast_within
    __holdfast_read
    test "$__holdfast_command" = "$argv[1]" -a $__holdfast_phase = own
end
function __holdfast_at_program
    __holdfast_read
    test "$__holdfast_command" = "$argv[1]"; or return
    test $__holdfast_phase = program -o $__holdfast_before -eq 0
end
function __holdfast_of_program
    set -l line (string join ' ' -- (string escape -- $__holdfast_program) (commandline -ct))
    complete --do-complete="$line"
end`
}

function linesOf({ name, flags, operands }: CommandShape): string[] {
  const words = [
    ...(operands.startsWith('task') ? [`${within(name)} -a '(${listTasks})' -d task`] : []),
    ...(operands === 'shell' ? [`${within(name)} -a '${shells.join(' ')}'`] : []),
    ...(operands.endsWith('program')
      ? [`complete -c holdfast -n '__holdfast_at_program ${name}' -F -a '(__holdfast_of_program)'`]
      : []),
  ]
  return [...flags.map(flag => `${within(name)}${flagWords(flag)}`), ...words]
}

const within = (name = ''): string => `complete -c holdfast -n '__holdfast_within ${name}'`

const valuesOf = (flags: readonly FlagShape[]): string =>
  flags
    .filter(({ takesValue }) => takesValue)
    .flatMap(({ names }) => names)
    .join(' ')

function flagWords({ names, takesValue, words, help }: FlagShape): string {
  const forms = names.map(name => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  const taken = words.length > 0 ? ` -x -a '${words.join(' ')}'` : ' -r -F'
  return ` ${forms.join(' ')}${takesValue ? taken : ''} -d ${quoted(help)}`
}

const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`
