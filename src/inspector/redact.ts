/** Shorter ones are in every text, and no secret. */
const shortest = 4

/**
 * The text without any value of the task's environment, from which a path or a message may have been put
 * together.
 */
export function redacted(text: string, environment: Readonly<Record<string, string>>): string {
  return Object.values(environment)
    .filter(value => value.length >= shortest)
    .sort((a, b) => b.length - a.length)
    .reduce((rest, value) => rest.replaceAll(value, '***'), text)
}
