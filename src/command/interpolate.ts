/**
 * Replaces `$NAME` and `${NAME}` by the variable's value. An unknown variable stays as it is written, and a value is not looked
 * into again. Names are letters, digits and underscores (the original's rule), the longest run counts.
 */
export function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  if (!text.includes('$')) return text
  return text.replace(
    /\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g,
    (written, braced?: string, bare?: string) => {
      const name = braced ?? bare ?? ''
      return Object.hasOwn(variables, name) ? (variables[name] ?? written) : written
    },
  )
}
