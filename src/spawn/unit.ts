import { answerOf } from './answer-of.ts'

/** What the service manager says of a unit; null where it does not answer. */
export async function unitProperties(
  unit: string,
  bus: 'system' | 'user',
): Promise<Readonly<Record<string, string>> | null> {
  const shown = ['show', '--property=KillMode,Delegate', '--', unit]
  const answer = await answerOf('systemctl', [`--${bus}`, ...shown], 5000)
  if (answer === null) return null
  const pairs = answer
    .trimEnd()
    .split('\n')
    .map(line => line.split('=', 2))
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value]))
}
