import type { EventEmitter } from 'node:events'
import type { Command, Option } from 'commander'

/** holdfast(1), from the table that parses the command line; man(7) has the macros. */
export function manualPage(program: Command, version: string): string {
  return [
    `.TH HOLDFAST 1 "" ${quoted(`holdfast ${version}`)} "User Commands"`,
    '.SH NAME',
    'holdfast \\- run programs with least privilege, limits and isolation',
    '.SH SYNOPSIS',
    '.B holdfast',
    '.RI [ options ]',
    '.I command',
    '.RI [ "options of the command" ]',
    '.SH DESCRIPTION',
    escaped(program.description()),
    ...afterHelp(program),
    '.SH OPTIONS',
    ...optionsOf(program),
    '.SH COMMANDS',
    ...program.commands.flatMap(commandSection),
    '.SH ENVIRONMENT',
    '.TP',
    '.B HOLDFAST_STATE_DIR',
    'Where tasks are recorded, unless \\-\\-state\\-dir says otherwise.',
    '.TP',
    '.B HOLDFAST_NATIVE',
    'Another native program, by its path.',
    '.TP',
    '.B NO_COLOR',
    'Nothing is coloured.',
    '',
  ].join('\n')
}

function commandSection(command: Command): string[] {
  const operands = command.registeredArguments.map(argument => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? name : `[${name}]`
  })
  const words = ['holdfast', command.name(), '[options]', ...operands].join(' ')
  return [
    `.SS ${quoted(words)}`,
    escaped(command.description()),
    ...optionsOf(command, optionsOfAll(command)),
    ...afterHelp(command),
  ]
}

/** What the program itself has is said once. */
function optionsOfAll(command: Command): ReadonlySet<string> {
  const program = command.parent ?? command
  return new Set(
    program
      .createHelp()
      .visibleOptions(program)
      .map(({ flags }) => flags),
  )
}

function optionsOf(command: Command, but: ReadonlySet<string> = new Set()): string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ flags }) => !but.has(flags))
    .flatMap((option: Option) => ['.TP', `.B ${escaped(option.flags)}`, escaped(option.description)])
}

/** What a help ends with, as it is laid out there. */
function afterHelp(command: Command): string[] {
  let text = ''
  const write = (more: string): void => {
    text += more
  }
  // A command is an emitter, which its types do not say.
  const emitter = command as unknown as EventEmitter
  emitter.emit('afterHelp', { error: false, command, write })
  return text === '' ? [] : ['.PP', '.nf', ...escaped(text.trim()).split('\n'), '.fi']
}

/**
 * A dot or an apostrophe that begins a line would be a request, and a hyphen is a minus where it is typed.
 */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1')
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '""')}"`
}
