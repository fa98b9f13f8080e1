import { chmodSync, lstatSync, mkdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Mount } from '../../index.ts'
import type { TaskConfig } from '../wire/task-messages.ts'
import { resolverFile } from './resolver.ts'

/**
 * Names and name servers of a task with a network of its own, put over the host's files in its root. They lie
 * in the state directory, where no task can reach them, and are removed with the task.
 */
export class NetworkFiles {
  readonly #root: string

  constructor(stateDir: string) {
    this.#root = join(stateDir, 'nomad-network')
  }

  /** Writes what is needed for the task and says where it goes. */
  make(key: string, { network_isolation_spec: isolation, dns, alloc_dir, name }: TaskConfig): Mount[] {
    const files: [target: string, text: string][] = []
    if (isolation?.hostsConfig) files.push(['/etc/hosts', hostsFile(isolation.hostsConfig)])
    const resolver = resolverFile(dns, isolation !== null && isolation.path !== '')
    if (resolver !== null) files.push(['/etc/resolv.conf', resolver])
    const directory = join(this.#root, key)
    // The directory is ours alone, the files are everybody's: the task reads them, whoever it runs as.
    if (files.length > 0) mkdirSync(directory, { recursive: true, mode: 0o700 })
    return files.map(([target, text], index) => {
      const source = join(directory, String(index))
      writeFileSync(source, text)
      chmodSync(source, 0o644)
      // A file of the job's there takes the place of the node's, and of its link.
      const isJobs = lstatSync(join(alloc_dir, name, target), { throwIfNoEntry: false }) !== undefined
      return { source, target: isJobs ? target : behindLinks(target), readOnly: true }
    })
  }

  remove(key: string): void {
    rmSync(join(this.#root, key), { recursive: true, force: true })
  }
}

/** Docker's own lines for a container, after what the host's file says of itself. */
function hostsFile({ hostname, address }: { readonly hostname: string; readonly address: string }): string {
  const own = [
    '127.0.0.1 localhost',
    '::1 localhost ip6-localhost ip6-loopback',
    'fe00::0 ip6-localnet',
    'ff00::0 ip6-mcastprefix',
    'ff02::1 ip6-allnodes',
    'ff02::2 ip6-allrouters',
  ]
  return `${[...own, ...(hostname === '' || address === '' ? [] : [`${address} ${hostname}`])].join('\n')}\n`
}

/**
 * Nothing can be mounted over a link, but at what it leads to: /etc/resolv.conf is one where systemd
 * resolves.
 */
function behindLinks(path: string, hops = 8): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  return isLink && hops > 0 ? behindLinks(resolve(dirname(path), readlinkSync(path)), hops - 1) : path
}
