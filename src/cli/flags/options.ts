import { type Command, Option } from 'commander'
import { append } from '../commands/subcommand.ts'
import { ChoiceOption } from './choice-option.ts'
import type { Asked, Flag, Taker } from './flag.ts'
import { longName } from './flag.ts'
import { flagTable } from './table.ts'

/** Gives a command its flags of the table, under their headings. */
export function takeFlags(command: Command, taker: Taker): Command {
  for (const { heading, flags } of flagTable) {
    const own = flags.flatMap(flag => optionFor(flag, taker) ?? [])
    if (own.length > 0) command.optionsGroup(heading)
    for (const option of own) command.addOption(option)
  }
  return command.optionsGroup('Options:')
}

/** What the flags that were given ask of the library. Throws INVALID_ARGUMENT. */
export function askedFor(passed: Readonly<Record<string, unknown>>): Asked {
  const asked: Asked = { command: {}, resources: {} }
  for (const flag of flagTable.flatMap(({ flags }) => flags)) {
    const value = passed[new Option(flag.flag).attributeName()]
    // It is of the kind that commander makes of the row itself.
    if (value !== undefined) flag.sets?.read(asked, value as never, longName(flag))
  }
  return asked
}

function optionFor({ flag, help, repeats, sets }: Flag, taker: Taker): Option | null {
  const text = help[taker]
  if (text === undefined) return null
  const option = sets?.words ? new ChoiceOption(flag, text, sets.words) : new Option(flag, text)
  return repeats ? option.argParser(append) : option
}
