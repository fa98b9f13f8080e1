import { existsSync } from 'node:fs'
import { readText } from '../../if-there.ts'

/** A service of systemd's that this process belongs to. */
export type Unit = { readonly name: string; readonly killMode: string }

export type UnitSources = {
  readonly proc: string
  readonly root: string
  readonly uid: number | undefined
  /** Asks the service manager; null where it does not answer. */
  readonly show: (unit: string, bus: 'system' | 'user') => Promise<Readonly<Record<string, string>> | null>
}

/** Null outside of any service: in a login, a scope, a container. */
export async function ownUnit({ proc, root, show }: UnitSources): Promise<Unit | null> {
  if (!existsSync(`${root}/run/systemd/system`)) return null
  const lines = readText(`${proc}/self/cgroup`).split('\n')
  // The unified hierarchy, or systemd's own of version 1.
  const path = lines.find(line => /^(0::|\d+:name=systemd:)\/.+/.test(line))?.split(':')[2] ?? ''
  const parts = path.split('/')
  // What a service has made below itself belongs to it, and so does a scope to none: the innermost unit
  // counts.
  const name = parts.findLast(part => /\.(service|scope)$/.test(part))
  if (name === undefined || name.endsWith('.scope') || /^user@\d+\.service$/.test(name)) return null
  const bus = parts.some(part => /^user@\d+\.service$/.test(part)) ? 'user' : 'system'
  const properties = await show(name, bus)
  return properties?.KillMode ? { name, killMode: properties.KillMode } : null
}
