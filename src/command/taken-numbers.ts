import { statSync } from 'node:fs'
import { isMapped } from '../id-maps.ts'
import { readAccounts, readGroups, readSubordinates } from './accounts.ts'
import { asksServices, knownNumbers } from './name-services.ts'

/** Where the numbers of this host are given away, besides the kernel. `getent`: as in AccountSources. */
export type NumberSources = {
  readonly passwd: string
  readonly group: string
  readonly subordinates: readonly string[]
  readonly nsswitch: string
  readonly getent: string | null
}

const systemSources: NumberSources = {
  passwd: '/etc/passwd',
  group: '/etc/group',
  subordinates: ['/etc/subuid', '/etc/subgid'],
  nsswitch: '/etc/nsswitch.conf',
  getent: 'getent',
}

/**
 * Whether an account or a group of this host has the number, by the files or the name services, or somebody
 * may give it away in user namespaces of his own (subuid(5)). The files are read each time; the name services
 * are asked of many numbers at once, those from this one on.
 */
export async function isTaken(number: number, sources: NumberSources = systemSources): Promise<boolean> {
  const { passwd, group, subordinates, nsswitch, getent } = sources
  if (readAccounts(passwd).some(({ uid, gid }) => uid === number || gid === number)) return true
  if (readGroups(group).some(({ gid }) => gid === number)) return true
  if (subordinates.some(path => isMapped(readSubordinates(path), number))) return true
  const databases = (['passwd', 'group'] as const).filter(name => asksServices(nsswitch, name))
  if (getent === null || databases.length === 0) return false
  return isKnown(number, { program: getent, databases, nsswitch })
}

type Services = {
  readonly program: string
  readonly databases: readonly ('passwd' | 'group')[]
  readonly nsswitch: string
}

type Asked = {
  readonly first: number
  readonly services: string
  readonly until: number
  /** 'unclear': each is asked for by itself. */
  readonly known: Promise<ReadonlySet<number> | 'unclear'>
}

/**
 * A question is a process of its own, which costs more than all walls of a start. The answer of so many holds
 * for the starts of half a minute: who gets an account of such a number then is as badly off as who gets it
 * when a task has the number already.
 */
const askedAtOnce = 16
const rememberMs = 30_000
let last: Asked | null = null

async function isKnown(number: number, services: Services): Promise<boolean> {
  const { program, databases, nsswitch } = services
  // Other services, or other words about them, are others to ask.
  const key = JSON.stringify([program, databases, nsswitch, changedAt(nsswitch)])
  const covers =
    last !== null &&
    last.services === key &&
    performance.now() < last.until &&
    number >= last.first &&
    number < last.first + askedAtOnce
  if (last === null || !covers)
    last = {
      first: number,
      services: key,
      until: performance.now() + rememberMs,
      known: ask(services, numbersFrom(number, askedAtOnce)),
    }
  const known = await last.known
  const own = known === 'unclear' ? await ask(services, [number]) : known
  return own === 'unclear' || own.has(number)
}

async function ask(
  { program, databases }: Services,
  numbers: readonly number[],
): Promise<ReadonlySet<number> | 'unclear'> {
  const answers = await Promise.all(databases.map(name => knownNumbers(program, name, numbers)))
  const known = new Set<number>()
  for (const answer of answers) {
    if (answer === 'unclear') return 'unclear'
    for (const number of answer) known.add(number)
  }
  return known
}

function numbersFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
