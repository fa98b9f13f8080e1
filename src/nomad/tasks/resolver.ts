import { readFileSync } from 'node:fs'
import type { Dns } from '../wire/task-messages.ts'

/**
 * Where the host has its name servers; `behindStub` are those that systemd-resolved asks, where `file` names
 * only its stub.
 */
type HostResolver = { readonly file: string; readonly behindStub: string }

const hostResolver: HostResolver = {
  file: '/etc/resolv.conf',
  behindStub: '/run/systemd/resolve/resolv.conf',
}

/**
 * A task's resolv.conf(5): what the job says, and what it leaves out as the host has it. Null: the host's own
 * file says it all. `ownNetwork`: the task is in a network namespace of its own, where nobody answers at the
 * stub's address.
 */
export function resolverFile(dns: Dns | null, ownNetwork: boolean, host = hostResolver): string | null {
  const { servers = [], searches = [], options = [] } = dns ?? {}
  const behind = ownNetwork && namesOnlyStub(readLines(host.file)) ? readLines(host.behindStub) : []
  if (behind.length + servers.length + searches.length + options.length === 0) return null
  const lines = behind.length > 0 ? behind : readLines(host.file)
  return [
    ...(servers.length > 0 ? servers.map(server => `nameserver ${server}`) : linesOf(lines, 'nameserver')),
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : linesOf(lines, 'search')),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : linesOf(lines, 'options')),
  ]
    .map(line => `${line}\n`)
    .join('')
}

function namesOnlyStub(lines: readonly string[]): boolean {
  const servers = linesOf(lines, 'nameserver')
  return servers.length > 0 && servers.every(line => /^nameserver\s+127\.0\.0\.53$/.test(line))
}

function linesOf(lines: readonly string[], keyword: string): string[] {
  return lines.filter(line => line.split(/\s/)[0] === keyword)
}

/** None where there is no such file. */
function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map(line => line.trim())
  } catch {
    return []
  }
}
