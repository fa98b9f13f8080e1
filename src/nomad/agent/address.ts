import type { RequestOptions } from 'node:https'
import { isAbsolute } from 'node:path'

export const takesAddress = '"http://HOST:PORT", "https://HOST:PORT" or "unix:///PATH"'

export type Target = {
  readonly secure: boolean
  readonly options: Pick<RequestOptions, 'socketPath' | 'host' | 'port'>
}

/**
 * Where an agent's HTTP interface is, as NOMAD_ADDR has it. Null: the text is no such address. One with a
 * user, a path or a query is none: nothing of it would be used.
 */
export function targetOf(address: string): Target | null {
  if (address.startsWith('unix://')) {
    const socketPath = address.slice('unix://'.length)
    return isAbsolute(socketPath) ? { secure: false, options: { socketPath } } : null
  }
  if (!/^https?:\/\/[^/?#@\\\s]+\/?$/.test(address) || !URL.canParse(address)) return null
  const { protocol, hostname, port } = new URL(address)
  const secure = protocol === 'https:'
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { secure, options: { host, port: port || (secure ? 443 : 80) } }
}
