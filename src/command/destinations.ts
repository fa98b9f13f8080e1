import { isIP } from 'node:net'
import type { Command } from '../api.ts'

/**
 * Where the forwarder listens on the loopback of a task whose network has rules. Fixed: what a task is told
 * in its environment is known before there is anything to be asked, and nobody else is on that loopback.
 */
export const forwarderPort = 3128

export const takesDestination =
  '"host:port", "*.domain:port" or "address/prefix:port", where the port is a number, "*" for any, or left out for 443 and 80, and IPv6 is in brackets when it has a port'

/**
 * Of all rules together, a line each: what the forwarder takes in one message (EGRESS_TEXT_MAX,
 * native/egress_rules.h) has a NUL besides.
 */
export const largestRules = 59_998

const defaultPorts = [443, 80] as const
/** Of the wire: any. */
const anyPort = 0
const name = /^(?=.{1,253}$)([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/

/**
 * A destination as the forwarder's rules, one for each port (docs/native-protocol.md, `egress-allow`). Null:
 * it is none.
 */
export function destinationRules(text: string): readonly string[] | null {
  const { place, port } = splitPort(text.toLowerCase())
  const rule = ruleOf(place)
  const ports = portsOf(port)
  return rule === null || ports === null ? null : ports.map(number => `${rule} ${number}`)
}

/** The rules of all destinations, a line each. What is none of them is left out. */
export function rulesText(allow: readonly string[]): string {
  return allow
    .flatMap(destination => destinationRules(destination) ?? [])
    .map(rule => `${rule}\n`)
    .join('')
}

/** Whether it is a network of named destinations. */
export function hasRules(network: Command['network']): network is { allow: string[] } {
  return typeof network === 'object' && 'allow' in network
}

/** For a row of `enforcement`. */
export function wordsOfRules(allow: readonly string[]): string {
  return allow.length === 0 ? 'allow nothing' : `allow ${allow.join(', ')}`
}

/**
 * What programs find their proxy by (curl, git, npm, pip, cargo, apt, Go, Python, Node with
 * NODE_USE_ENV_PROXY).
 */
export function proxyVariables(network: Command['network']): Record<string, string> {
  if (!hasRules(network)) return {}
  const url = `http://127.0.0.1:${forwarderPort}`
  const values = { HTTP_PROXY: url, HTTPS_PROXY: url, ALL_PROXY: url }
  return Object.fromEntries(
    Object.entries(values).flatMap(([variable, value]) => [
      [variable, value],
      [variable.toLowerCase(), value],
    ]),
  )
}

function splitPort(text: string): { place: string; port: string | null } {
  const [, bracketed, length = '', port] = /^\[([^\]]*)\](\/[^:]*)?(?::(.*))?$/.exec(text) ?? []
  if (bracketed !== undefined)
    return { place: isIP(bracketed) === 6 ? `${bracketed}${length}` : '', port: port ?? null }
  const colon = text.lastIndexOf(':')
  // Two colons and no brackets: an address of IPv6, whose port could not be told from it.
  if (colon === -1 || text.indexOf(':') !== colon) return { place: text, port: null }
  return { place: text.slice(0, colon), port: text.slice(colon + 1) }
}

function portsOf(port: string | null): readonly number[] | null {
  if (port === null) return defaultPorts
  if (port === '*') return [anyPort]
  return /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535 ? [Number(port)] : null
}

function ruleOf(place: string): string | null {
  const [address = '', length, ...more] = place.split('/')
  const family = isIP(address)
  // A zone names an interface of the host's.
  if (more.length > 0 || address.includes('%')) return null
  if (family !== 0) return prefixRule(address, length, family === 4 ? 32 : 128)
  if (length !== undefined) return null
  if (place.startsWith('*.')) return isName(place.slice(2)) ? `suffix ${place.slice(1)}` : null
  const name = place.endsWith('.') ? place.slice(0, -1) : place
  return isName(name) ? `name ${name}` : null
}

function prefixRule(address: string, length: string | undefined, max: number): string | null {
  if (length === undefined) return `prefix ${address}/${max}`
  return /^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= max ? `prefix ${address}/${length}` : null
}

/** Its last label is no number: only addresses end so. */
function isName(text: string): boolean {
  return name.test(text) && !/(^|\.)\d+$/.test(text)
}
