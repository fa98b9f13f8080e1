import type { Command, Resources } from '../../index.ts'

/** The commands whose options are rows of the table. */
export type Taker = 'run' | 'exec' | 'update'

export type Flag = {
  /** As commander takes it, such as `-e, --env <NAME=VALUE>`. */
  readonly flag: string
  /** The commands that take it, and what their help says. */
  readonly help: Readonly<Partial<Record<Taker, string>>>
  /** It may be given several times. */
  readonly repeats?: true
  /** Absent where the flag is the command line's own, and read by the action. */
  readonly sets?: Sets
}

/** A field of the library that a flag sets. */
export type Field = `command.${keyof Command}` | `resources.${keyof Resources}`

export type Sets = {
  readonly field: Field
  /**
   * Adds what the flag says to what is asked for so far. `given` is one word, several where it repeats, or
   * true. Throws INVALID_ARGUMENT.
   */
  readonly read: (asked: Asked, passed: never, flag: string) => void
  /** All that it takes, where that is a few words. */
  readonly words?: readonly string[]
}

/** What the flags of a command line ask for. */
export type Asked = { readonly command: Partial<Command>; readonly resources: Partial<Resources> }

/** One help text for several commands. */
export function same(text: string, ...takers: readonly Taker[]): Flag['help'] {
  return Object.fromEntries(takers.map(taker => [taker, text]))
}

/** The word, parsed, is the value of the field. */
export function value<F extends Field>(field: F, parse: Parser<ValueOf<F>>): Sets {
  const { words } = parse
  return {
    field,
    read: (asked, text: string, flag) => put(asked, field, parse(flag, text)),
    ...(words !== undefined && { words }),
  }
}

type Parser<Value> = {
  (flag: string, text: string): Value
  readonly words?: readonly string[]
}

/** Of a flag that repeats: its words together are the value of the field. */
export function values<F extends Field>(field: F, parse: (texts: readonly string[]) => ValueOf<F>): Sets {
  return { field, read: (asked, texts: readonly string[]) => put(asked, field, parse(texts)) }
}

/** Takes the word as it is. */
export const word = (_flag: string, text: string): string => text

/** `--env` of `-e, --env <NAME=VALUE>`. */
export function longName({ flag }: Flag): string {
  return /--[a-z-]+/.exec(flag)?.[0] ?? flag
}

type ValueOf<F extends Field> = F extends `command.${infer Name extends keyof Command}`
  ? NonNullable<Command[Name]>
  : F extends `resources.${infer Name extends keyof Resources}`
    ? NonNullable<Resources[Name]>
    : never

function put(asked: Asked, field: Field, parsed: unknown): void {
  const [part, name] = field.split('.') as ['command' | 'resources', string]
  Object.assign(asked[part], { [name]: parsed })
}
