import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const needed = ['bridge', 'firewall', 'host-local', 'loopback', 'portmap']
const places = [process.env.CNI_PATH ?? '', '/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni']

/** The directory with the CNI plugins of which Nomad makes a bridge network: CNI_PATH, or a usual one. */
export function cniPlugins(): string | null {
  return places.find(place => place !== '' && needed.every(plugin => existsSync(join(place, plugin)))) ?? null
}

/**
 * The same plugins, each able to say a version: where they have none (Debian's are built so), Nomad places no
 * job with a bridge. When asked for a version they have no CNI_COMMAND.
 */
export function versionedPlugins(plugins: string, directory: string): string {
  mkdirSync(directory, { recursive: true })
  for (const plugin of needed) {
    const script = `#!/bin/sh\n[ -n "$CNI_COMMAND" ] || { echo 'CNI ${plugin} plugin v1.0.0'; exit; }\nexec ${join(plugins, plugin)}\n`
    writeFileSync(join(directory, plugin), script, { mode: 0o755 })
  }
  return directory
}

// Which addresses are given out, and to whom.
const kept = '/var/lib/cni'

/**
 * Call it before: the function that it returns takes away what the plugins keep on the host, if nothing was
 * there already.
 */
export function keptByPlugins(): () => void {
  const wasThere = existsSync(kept)
  return () => {
    if (!wasThere) rmSync(kept, { recursive: true, force: true })
  }
}
