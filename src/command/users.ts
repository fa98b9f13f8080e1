import { HoldfastError } from '../errors.ts'
import { type Account, parseAccount, parseGroup, parseId, readAccounts, readGroups } from './accounts.ts'
import { getent, groupsByServices, knowsMoreGroups } from './name-services.ts'
import { describe } from '../invalid-argument.ts'

type Credentials = { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }

/** Where accounts are looked up. `getent` is the program that knows the directory services; null for none. */
export type AccountSources = {
  readonly passwd: string
  readonly group: string
  readonly getent: string | null
  /** Says which services there are besides the files; absent: none. */
  readonly nsswitch?: string
}

const systemSources: AccountSources = {
  passwd: '/etc/passwd',
  group: '/etc/group',
  getent: 'getent',
  nsswitch: '/etc/nsswitch.conf',
}

export type Resolved = {
  readonly credentials: Credentials
  /** The account's name; the number of a uid without one. */
  readonly name: string
  /**
   * The services that know more groups than the files could not be asked: `groups` are those of the files
   * alone.
   */
  readonly groupsUnknown: boolean
}

/**
 * The ids a task is to run with. A string of digits is an id; no user at all is `nobody`.
 * The gid is the given group's, else the account's own. A uid without an account gets the gid of the same
 * number: gid 0 would open what belongs to root's group, and nogroup is shared with every other such task.
 * `groups` are the account's supplementary ones, of the group file and of the name services (initgroups(3)),
 * none for `nobody`. Rejects START_FAILED, stage `user`, for an unknown name.
 */
export async function resolveUser(
  user: string | number | undefined,
  group: string | number | undefined,
  sources: AccountSources = systemSources,
): Promise<Resolved> {
  const account = await findAccount(user ?? 'nobody', sources)
  const gid = group === undefined ? account.gid : await findGroup(group, sources)
  const groups = await supplementaryGroups(account, sources)
  return {
    credentials: { uid: account.uid, gid, groups: groups.known.filter(id => id !== gid) },
    name: account.name === '' ? String(account.uid) : account.name,
    groupsUnknown: groups.unknown,
  }
}

/** What a user of this number is called; the number itself where there is no account, or no accounts. */
export async function nameOf(uid: number, sources: AccountSources = systemSources): Promise<string> {
  const { name } = await findAccount(uid, sources)
  return name === '' ? String(uid) : name
}

async function findAccount(user: string | number, sources: AccountSources): Promise<Account> {
  const uid = idOf(user)
  const accounts = readAccounts(sources.passwd)
  const known = accounts.find(account => (uid === null ? account.name === user : account.uid === uid))
  if (known) return known
  const found = parseAccount((await getent(sources.getent, 'passwd', user)) ?? '')
  if (found) return found
  if (uid !== null) return { name: '', uid, gid: uid }
  throw unknown('user', user, sources.passwd)
}

async function findGroup(group: string | number, sources: AccountSources): Promise<number> {
  const gid = idOf(group)
  if (gid !== null) return gid
  const known = readGroups(sources.group).find(({ name }) => name === group)
  const found = known ?? parseGroup((await getent(sources.getent, 'group', group)) ?? '')
  if (found) return found.gid
  throw unknown('group', group, sources.group)
}

function idOf(name: string | number): number | null {
  return parseId(String(name))
}

async function supplementaryGroups(
  account: Account,
  sources: AccountSources,
): Promise<{ readonly known: readonly number[]; readonly unknown: boolean }> {
  if (account.name === '' || account.name === 'nobody') return { known: [], unknown: false }
  const listed = readGroups(sources.group)
    .filter(({ members }) => members.includes(account.name))
    .map(({ gid }) => gid)
  const { nsswitch, getent: program } = sources
  if (nsswitch === undefined || !knowsMoreGroups(nsswitch)) return { known: unique(listed), unknown: false }
  const served = await groupsByServices(program, account.name)
  return { known: unique([...listed, ...(served ?? [])]), unknown: served === null }
}

const unique = (ids: readonly number[]): readonly number[] => [...new Set(ids)]

function unknown(kind: 'user' | 'group', name: string | number, file: string): HoldfastError {
  return new HoldfastError('START_FAILED', `cannot start: there is no ${kind} ${describe(name)}`, {
    stage: 'user',
    errno: 'ENOENT',
    path: file,
    hint: `add it (${kind}add), name one that ${file} lists, or give a number`,
  })
}
