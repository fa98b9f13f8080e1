import { execa } from 'execa'
import { HoldfastError } from '../errors.ts'
import {
  type Account,
  type Group,
  parseAccount,
  parseGroup,
  parseId,
  readAccounts,
  readGroups,
} from './accounts.ts'
import { describe } from './refusal.ts'

export type Credentials = { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }

/** Where accounts are looked up. `getent` is the program that knows the directory services; null for none. */
export type AccountSources = {
  readonly passwd: string
  readonly group: string
  readonly getent: string | null
}

const systemSources: AccountSources = { passwd: '/etc/passwd', group: '/etc/group', getent: 'getent' }

/**
 * The ids a task is to run with. A string of digits is an id; no user at all is `nobody`.
 * The gid is the given group's, else the account's own. A uid without an account gets the gid of the same number: gid 0 would
 * open what belongs to root's group, and nogroup is shared with every other such task.
 * `groups` are the supplementary ones that the group file lists for the account, none for `nobody`.
 * Rejects START_FAILED, stage `user`, for an unknown name.
 */
export async function resolveUser(
  user: string | number | undefined,
  group: string | number | undefined,
  sources: AccountSources = systemSources,
): Promise<Credentials> {
  const account = await findAccount(user ?? 'nobody', sources)
  const gid = group === undefined ? account.gid : await findGroup(group, sources)
  return { uid: account.uid, gid, groups: supplementaryGroups(account, gid, sources) }
}

async function findAccount(user: string | number, sources: AccountSources): Promise<Account> {
  const uid = idOf(user)
  const accounts = readAccounts(sources.passwd)
  const known = accounts.find(account => (uid === null ? account.name === user : account.uid === uid))
  if (known) return known
  const found = await getent('passwd', user, parseAccount, sources)
  if (found) return found
  if (uid !== null) return { name: '', uid, gid: uid }
  throw unknown('user', user, sources.passwd)
}

async function findGroup(group: string | number, sources: AccountSources): Promise<number> {
  const gid = idOf(group)
  if (gid !== null) return gid
  const known = readGroups(sources.group).find(({ name }) => name === group)
  const found = known ?? (await getent<Group>('group', group, parseGroup, sources))
  if (found) return found.gid
  throw unknown('group', group, sources.group)
}

function idOf(name: string | number): number | null {
  return parseId(String(name))
}

function supplementaryGroups(account: Account, gid: number, sources: AccountSources): readonly number[] {
  if (account.name === '' || account.name === 'nobody') return []
  const groups = readGroups(sources.group).filter(({ members }) => members.includes(account.name))
  return [...new Set(groups.map(entry => entry.gid))].filter(id => id !== gid)
}

/** Asks the system's name services (LDAP, systemd's dynamic users, ...). Null if they do not know, or there is no such program. */
async function getent<T>(
  database: 'passwd' | 'group',
  key: string | number,
  parse: (line: string) => T | null,
  sources: AccountSources,
): Promise<T | null> {
  // A key that looks like an option could not be told from one on every libc's getent.
  if (sources.getent === null || !/^[^-\0][^\0]*$/.test(String(key))) return null
  const { failed, stdout } = await execa(sources.getent, [database, String(key)], {
    reject: false,
    timeout: 5000,
    stdin: 'ignore',
  })
  return failed || typeof stdout !== 'string' ? null : parse(stdout.split('\n', 1)[0] ?? '')
}

function unknown(kind: 'user' | 'group', name: string | number, file: string): HoldfastError {
  return new HoldfastError('START_FAILED', `cannot start: there is no ${kind} ${describe(name)}`, {
    stage: 'user',
    errno: 'ENOENT',
    path: file,
    hint: `add it (${kind}add), name one that ${file} lists, or give a number`,
  })
}
