/**
 * As capabilities(7) writes them, or without CAP_ and in any case. Which names there are is the library's to
 * say.
 */
export function parseCapability(text: string): string {
  const name = text.toUpperCase()
  return name.startsWith('CAP_') ? name : `CAP_${name}`
}
