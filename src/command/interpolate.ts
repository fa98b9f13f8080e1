import type { Command } from '../api.ts'

/**
 * The program as it was called, and its argv, byte for byte; with `command.interpolate` variables of the
 * task's own environment are put in, once. Never unasked: expanded before the task's shell sees it, what a
 * variable holds becomes code, and a secret goes into argv, for `ps` to show.
 */
export function programOf(
  {
    path,
    args,
    argv0,
    interpolate: isAsked = false,
  }: Readonly<Pick<Command, 'path' | 'args' | 'argv0' | 'interpolate'>>,
  env: Readonly<Record<string, string>>,
): { readonly typed: string; readonly argv: readonly string[] } {
  const word = (text: string) => (isAsked ? interpolate(text, env) : text)
  const typed = word(path)
  return { typed, argv: [argv0 ?? typed, ...args.map(word)] }
}

/**
 * Replaces `$NAME` and `${NAME}` by the variable's value. An unknown variable stays as it is written, and a
 * value is not looked into again. Names are letters, digits and underscores (the original's rule), the
 * longest run counts.
 */
export function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  if (!text.includes('$')) return text
  return text.replace(
    /\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g,
    (written, braced?: string, unbraced?: string) => {
      const name = braced ?? unbraced ?? ''
      return Object.hasOwn(variables, name) ? (variables[name] ?? written) : written
    },
  )
}
