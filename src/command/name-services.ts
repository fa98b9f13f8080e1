import { readText } from '../if-there.ts'
import { answerOf } from '../spawn/answer-of.ts'
import { parseId } from './accounts.ts'

/** Those that read the same files as we do. */
const ofFiles = new Set(['files', 'compat'])

/**
 * Whether this host's name services (nsswitch.conf(5)) know groups that /etc/group does not list: a directory
 * (sssd, ldap, winbind), systemd's user records, a cache of those. Where there is no such file, they do not.
 */
export function knowsMoreGroups(nsswitch: string): boolean {
  const services = servicesOf(nsswitch, 'initgroups') ?? servicesOf(nsswitch, 'group') ?? []
  return services.some(service => !ofFiles.has(service))
}

/** Whether accounts or groups are known to others than the files. Without nsswitch.conf(5) to nobody else. */
export function asksServices(nsswitch: string, database: 'passwd' | 'group'): boolean {
  return (servicesOf(nsswitch, database) ?? []).some(service => !ofFiles.has(service))
}

function servicesOf(nsswitch: string, database: string): readonly string[] | null {
  const line = new RegExp(`^\\s*${database}:(.*)$`, 'm').exec(readText(nsswitch))?.[1]
  if (line === undefined) return null
  const withoutActions = line.replace(/#.*/, '').replace(/\[[^\]]*\]/g, ' ')
  return withoutActions.split(/\s+/).filter(Boolean)
}

type Known = { readonly until: number; readonly line: Promise<string | null> }

/**
 * As the services' own caches do, for less time: a program starts one task after another as the same user.
 */
const rememberMs = 10_000
const known = new Map<string, Known>()

/**
 * What the system's name services say of an entry, one line; null if they do not know it, or there is no such
 * program. Remembered for ten seconds. `program` is getent's name or path.
 */
export function getent(
  program: string | null,
  database: 'passwd' | 'group' | 'initgroups',
  name: string | number,
): Promise<string | null> {
  // A name that looks like an option could not be told from one on every libc's getent.
  if (program === null || !/^[^-\0][^\0]*$/.test(String(name))) return Promise.resolve(null)
  const key = `${program} ${database} ${name}`
  const remembered = known.get(key)
  if (remembered !== undefined && performance.now() < remembered.until) return remembered.line
  const line = ask(program, [database, String(name)])
  if (known.size >= 1000) known.clear()
  known.set(key, { until: performance.now() + rememberMs, line })
  return line
}

async function ask(program: string, args: readonly string[]): Promise<string | null> {
  const answer = await answerOf(program, args, 5000)
  return answer === null ? null : (answer.split('\n', 1)[0] ?? '')
}

/**
 * Which of these numbers the name services know as accounts or groups: one question for all of them.
 * 'unclear' where that brings no such answer in time: they are to be asked one by one.
 */
export async function knownNumbers(
  program: string,
  database: 'passwd' | 'group',
  numbers: readonly number[],
): Promise<ReadonlySet<number> | 'unclear'> {
  // getent(1) exits with 2 when it has found some and others not: the entries count all the same.
  const answer = await answerOf(program, [database, ...numbers.map(String)], 5000, [0, 2])
  if (answer === null && numbers.length > 1) return 'unclear'
  const lines = (answer ?? '').split('\n').filter(line => line !== '')
  // NAME:PASSWORD:NUMBER:..., of both.
  const found = lines.flatMap(line => parseId(line.split(':')[2]) ?? [])
  return found.length === lines.length && found.every(number => numbers.includes(number))
    ? new Set(found)
    : 'unclear'
}

/** The supplementary groups of an account as getgrouplist(3) has them; null when nobody could say. */
export async function groupsByServices(
  program: string | null,
  name: string,
): Promise<readonly number[] | null> {
  return parseGroups(await getent(program, 'initgroups', name))
}

/** `NAME GID GID ...`; a name may hold blanks in some directories, so numbers are taken from the end. */
function parseGroups(line: string | null): readonly number[] | null {
  if (line === null) return null
  const numbers = /((?:\s+\d+)*)\s*$/.exec(line)?.[1] ?? ''
  return numbers.split(/\s+/).flatMap(text => parseId(text) ?? [])
}
