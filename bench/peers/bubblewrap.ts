import { type Contender, nothingToTidy, type Skipped } from '../contender.ts'
import { endedWell } from './child.ts'
import { systemDirectories } from './host-root.ts'
import { obstacle, refused, versionOf } from './installed.ts'

const name = 'bubblewrap'

export function bubblewrap(): Contender | Skipped {
  const version = versionOf('bwrap')
  return (
    obstacle(name, 'bwrap', version) ??
    refused(name, 'bwrap', bubblewrapArguments('/bin/true')) ?? {
      name,
      version,
      does: 'own mount, pid, ipc, uts, cgroup namespaces and root; no cgroup, nothing recorded',
      async run() {
        await endedWell('bwrap', bubblewrapArguments('/bin/true'))
        return nothingToTidy
      },
      async close() {},
    }
  )
}

export function bubblewrapArguments(...command: readonly string[]): string[] {
  const root = systemDirectories().flatMap(({ at, link }) =>
    link === null ? ['--ro-bind', at, at] : ['--symlink', link, at],
  )
  const namespaces = ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup']
  const own = ['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--new-session']
  return [...namespaces, ...root, ...own, '--', ...command]
}
