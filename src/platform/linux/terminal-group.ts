import { readGroups } from '../../command/accounts.ts'

/** The group that terminals belong to, as grantpt(3) wants it; null where the host has none. */
export function terminalGroup(): number | null {
  return readGroups('/etc/group').find(({ name }) => name === 'tty')?.gid ?? null
}
