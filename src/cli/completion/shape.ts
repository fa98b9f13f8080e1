import type { Command, Option } from 'commander'
import { append } from '../commands/subcommand.ts'
import { ChoiceOption } from '../flags/choice-option.ts'

/** What a shell has to know of the command line to complete it: read from the very table that parses it. */
export type Shape = { readonly flags: readonly FlagShape[]; readonly commands: readonly CommandShape[] }

export type FlagShape = {
  /** `-e`, where there is one, and `--env`. */
  readonly names: readonly string[]
  /** One word follows it. */
  readonly takesValue: boolean
  readonly repeats: boolean
  /** All that its value can be, where that is known. */
  readonly words: readonly string[]
  readonly help: string
}

export type CommandShape = {
  readonly name: string
  readonly help: string
  readonly flags: readonly FlagShape[]
  /**
   * What its words are: tasks, one or several; a program with words of its own; a shell; or nothing that is
   * known.
   */
  readonly operands: 'task' | 'tasks' | 'program' | 'task-and-program' | 'shell' | 'none'
}

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

export function shapeOf(program: Command): Shape {
  const commands = program.commands.map(commandShape)
  const help: CommandShape = {
    name: 'help',
    help: 'print the help of a command',
    flags: [],
    operands: 'none',
  }
  return { flags: flagsOf(program), commands: [...commands, help] }
}

function commandShape(command: Command): CommandShape {
  const operands = command.registeredArguments.map(argument => argument.name())
  return {
    name: command.name(),
    help: command.summary(),
    flags: flagsOf(command),
    operands: operandsOf(operands, command.registeredArguments.at(0)?.variadic ?? false),
  }
}

function operandsOf([first, second]: readonly string[], variadic: boolean): CommandShape['operands'] {
  if (first === 'COMMAND') return 'program'
  if (first === 'SHELL') return 'shell'
  if (first !== 'TASK') return 'none'
  if (second === 'COMMAND') return 'task-and-program'
  return variadic ? 'tasks' : 'task'
}

/** With those that commander adds: its own list of what is visible in a help. */
function flagsOf(command: Command): readonly FlagShape[] {
  return command.createHelp().visibleOptions(command).map(flagShape)
}

function flagShape(option: Option): FlagShape {
  return {
    names: [option.short, option.long].filter(name => name !== undefined),
    takesValue: option.required || option.optional,
    repeats: option.parseArg === append,
    words: option instanceof ChoiceOption ? option.words : [],
    help: option.description,
  }
}

/** The keys of all tasks, a line each. */
export const listTasks = 'holdfast ps --all --quiet 2>/dev/null'
