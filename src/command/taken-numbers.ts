import { isMapped } from '../id-maps.ts'
import { readAccounts, readGroups, readSubordinates } from './accounts.ts'
import { asksServices, getent } from './name-services.ts'

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
 * may give it away in user namespaces of his own (subuid(5)).
 */
export async function isTaken(number: number, sources: NumberSources = systemSources): Promise<boolean> {
  const { passwd, group, subordinates, nsswitch, getent: program } = sources
  if (readAccounts(passwd).some(({ uid, gid }) => uid === number || gid === number)) return true
  if (readGroups(group).some(({ gid }) => gid === number)) return true
  if (subordinates.some(path => isMapped(readSubordinates(path), number))) return true
  const databases = (['passwd', 'group'] as const).filter(name => asksServices(nsswitch, name))
  const found = await Promise.all(databases.map(name => getent(program, name, number)))
  return found.some(line => line !== null && line !== '')
}
