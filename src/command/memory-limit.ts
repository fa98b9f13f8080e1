/*
 * `memoryMB` is another way to write `memoryBytes`. What was asked for keeps its name, since rows and
 * refusals show it; everywhere else the limit has one name and one unit, by these two.
 */

export const bytesPerMiB = 1024 * 1024

/** Bytes; null when memory is not limited. */
export function memoryLimit(asked: {
  readonly memoryBytes?: number | undefined
  readonly memoryMB?: number | undefined
}): number | null {
  return asked.memoryBytes ?? (asked.memoryMB === undefined ? null : asked.memoryMB * bytesPerMiB)
}

/** The field whose limit this field of Resources sets; of a row by its name, too. */
export function limitField(name: string): string {
  return name === 'memoryMB' ? 'memoryBytes' : name
}
