import { refused } from './refused.ts'

/** `USER` or `USER:GROUP`, each a name or a number. Throws INVALID_ARGUMENT. */
export function parseUser(text: string): { readonly user: string; readonly group?: string } {
  const [, user, group] = /^([^:]+)(?::([^:]+))?$/s.exec(text) ?? []
  if (user === undefined) throw refused('--user', text, 'USER or USER:GROUP, each a name or a number')
  return group === undefined ? { user } : { user, group }
}
