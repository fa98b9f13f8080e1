import { invalidArgument } from '../../invalid-argument.ts'

/**
 * `NAME=VALUE` each; the last of a name counts. What names there may be is the library's to say. Throws
 * INVALID_ARGUMENT.
 */
export function parseLabels(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map(text => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
      if (name === undefined || value === undefined) throw invalidArgument('--label', text, 'NAME=VALUE')
      return [name, value]
    }),
  )
}
