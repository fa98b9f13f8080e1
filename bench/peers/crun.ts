import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Contender, nothingToTidy, type Skipped } from '../contender.ts'
import { inFlight } from '../rounds.ts'
import { endedWell } from './child.ts'
import { systemDirectories } from './host-root.ts'
import { obstacle, refused, versionOf } from './installed.ts'

const name = 'crun'

export function crun(): Contender | Skipped {
  const version = versionOf('crun')
  const skipped = obstacle(name, 'crun', version)
  if (skipped !== null) return skipped
  const bundles = new Bundles(inFlight, '/bin/true')
  const refusal = refused(name, 'crun', bundles.arguments(0))
  if (refusal !== null) {
    bundles.remove()
    return refusal
  }
  return {
    name,
    version,
    does: 'own mount, pid, ipc, uts namespaces and root, cgroups; state until it ends',
    async run(slot) {
      await endedWell('crun', bundles.arguments(slot))
      return nothingToTidy
    },
    close: async () => bundles.remove(),
  }
}

/** One root for all, one config.json per slot: it names the container's cgroup. */
export class Bundles {
  readonly #directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-crun-'))
  #runs = 0

  constructor(slots: number, ...command: readonly string[]) {
    const root = join(this.#directory, 'rootfs')
    mkdirSync(root)
    const system = systemDirectories()
    for (const { at, link } of system) if (link !== null) symlinkSync(link, join(root, at))
    for (let slot = 0; slot < slots; slot++) {
      const config = ociConfig(
        command,
        `/holdfast/bench-${process.pid}-${slot}`,
        system.flatMap(({ at, link }) => (link === null ? [at] : [])),
      )
      writeFileSync(join(this.#directory, `config-${slot}.json`), JSON.stringify(config))
    }
  }

  arguments(slot: number): string[] {
    const id = `holdfast-bench-${process.pid}-${this.#runs++}`
    return [
      '--cgroup-manager=cgroupfs',
      'run',
      '--bundle',
      this.#directory,
      '--config',
      join(this.#directory, `config-${slot}.json`),
      id,
    ]
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** The least of the OCI runtime specification that isolates as our default does. */
function ociConfig(args: readonly string[], cgroupsPath: string, readOnly: readonly string[]): unknown {
  return {
    ociVersion: '1.0.2',
    process: {
      args,
      cwd: '/',
      env: ['PATH=/usr/bin:/bin'],
      user: { uid: 65534, gid: 65534 },
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'bench',
    mounts: [
      ...readOnly.map(at => ({
        destination: at,
        source: at,
        type: 'bind',
        options: ['rbind', 'ro', 'nosuid', 'nodev'],
      })),
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] },
    ],
    linux: { cgroupsPath, namespaces: ['mount', 'pid', 'ipc', 'uts'].map(type => ({ type })) },
  }
}
