import type { CommanderError } from 'commander'

export type UsageMistake = {
  /** Null where everything has been said: help, the version. */
  readonly say: { readonly code: 'INVALID_ARGUMENT'; readonly message: string; readonly hint: string } | null
  readonly exitCode: number
  readonly json: boolean
}

/** What a mistake in the command line itself means. */
export function usageMistake(
  error: CommanderError,
  args: readonly string[],
  commandNames: readonly string[],
): UsageMistake {
  const { exitCode } = error
  const json = wantsJson(args)
  if (exitCode === 0 || error.code.startsWith('commander.help')) return { say: null, exitCode, json }
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const hint = [suggestion?.replace(/^\((.*)\)$/, '$1'), helpFor(args, commandNames)]
    .filter(Boolean)
    .join(' ')
  return { say: { code: 'INVALID_ARGUMENT', message, hint }, exitCode, json }
}

/** The options were not all read when one of them was refused, hence the look at the words themselves. */
export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end < 0 ? undefined : end).includes('--json')
}

function helpFor(args: readonly string[], commandNames: readonly string[]): string {
  const command = args.find(word => commandNames.includes(word))
  return `\`holdfast ${command === undefined ? '' : `${command} `}--help\` shows what it takes.`
}
