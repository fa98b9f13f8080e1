import { execa } from 'execa'

/** What the service manager says of a unit; null where it does not answer. */
export async function unitProperties(
  unit: string,
  bus: 'system' | 'user',
): Promise<Readonly<Record<string, string>> | null> {
  const { failed, stdout } = await execa(
    'systemctl',
    [`--${bus}`, 'show', '--property=KillMode,Delegate', '--', unit],
    {
      reject: false,
      stdin: 'ignore',
      timeout: 5000,
    },
  )
  if (failed) return null
  const pairs = stdout.split('\n').map(line => line.split('=', 2))
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value]))
}
