import { invalidArgument } from '../../invalid-argument.ts'

/** `USER` or `USER:GROUP`, each a name or a number. Throws INVALID_ARGUMENT. */
export function parseUser(text: string): { readonly user: string; readonly group?: string } {
  const [, user, group] = /^([^:]+)(?::([^:]+))?$/s.exec(text) ?? []
  if (user === undefined) throw invalidArgument('--user', text, 'USER or USER:GROUP, each a name or a number')
  return group === undefined ? { user } : { user, group }
}
