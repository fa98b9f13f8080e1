import { type CommandShape, type FlagShape, listTasks, type Shape } from './shape.ts'

/** For fish 3. */
export function fishCompletion({ flags, commands }: Shape): string {
  const all = commands.map(({ name }) => name).join(' ')
  const lines = [
    '# Completion of holdfast for fish: holdfast completion fish > ~/.config/fish/completions/holdfast.fish',
    'complete -c holdfast -f',
    ...flags.map(flag => `complete -c holdfast -n __fish_use_subcommand${flagWords(flag)}`),
    ...commands.map(
      ({ name, help }) => `complete -c holdfast -n __fish_use_subcommand -a ${name} -d ${quoted(help)}`,
    ),
    `complete -c holdfast -n '__fish_seen_subcommand_from help' -a '${all}'`,
    ...commands.flatMap(linesOf),
  ]
  return `${lines.join('\n')}\n`
}

function linesOf({ name, flags, operands }: CommandShape): string[] {
  const here = `complete -c holdfast -n '__fish_seen_subcommand_from ${name}'`
  const words = [
    ...(operands.startsWith('task') ? [`${here} -a '(${listTasks})' -d task`] : []),
    ...(operands.endsWith('program') ? [`${here} -F -a '(__fish_complete_subcommand)'`] : []),
  ]
  return [...flags.map(flag => `${here}${flagWords(flag)}`), ...words]
}

function flagWords({ names, takesValue, help }: FlagShape): string {
  const forms = names.map(name => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  return ` ${forms.join(' ')}${takesValue ? ' -r -F' : ''} -d ${quoted(help)}`
}

const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`
