/** `name value` on a line of its own, as in cpu.stat. */
export function fieldOf(text: string | null, name: string): number | null {
  if (text === null) return null
  if (text.startsWith(`${name} `)) return numberFrom(text, name.length + 1)
  const before = text.indexOf(`\n${name} `)
  return before < 0 ? null : numberFrom(text, before + name.length + 2)
}

/**
 * Of all the numbers that stand after this; 0 when it does not occur, as for a device that nobody has used.
 */
export function sumAfter(text: string | null, mark: string): number | null {
  if (text === null) return null
  let total = 0
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length))
    total += numberFrom(text, at + mark.length) ?? 0
  return total
}

export function scaled(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor
}

function numberFrom(text: string, start: number): number | null {
  let end = start
  while (end < text.length && text[end] !== ' ' && text[end] !== '\n') end++
  const value = Number(text.slice(start, end))
  return end === start || Number.isNaN(value) ? null : value
}
