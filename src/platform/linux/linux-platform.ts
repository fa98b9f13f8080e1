import type { StartRecord } from '../../../machines/index.ts'
import type { Usage } from '../../api.ts'
import type { Platform } from '../port.ts'
import { ownAccess } from './access.ts'
import { type CgroupHost, detectCgroups } from './cgroup-mode.ts'
import { CgroupPlanner } from './cgroups.ts'
import { killLinuxTree } from './kill.ts'
import type { LinuxHost } from './linux-host.ts'
import { planLinux } from './plan.ts'
import { releaseCgroups } from './release.ts'
import { sampleCgroups } from './sample.ts'
import { updateLimits } from './update.ts'

type Options = {
  /** For a task that has no cgroup, as an ordinary user's where none is delegated: from its processes. */
  readonly sampleProcesses: (start: StartRecord) => Promise<Usage>
}

/** Limits by cgroups, isolation by namespaces. Looks at the host when first used. */
export function linuxPlatform({ sampleProcesses }: Options): Platform {
  let host: (LinuxHost & { readonly cgroups: CgroupHost }) | undefined
  const look = () => {
    host ??= lookAtHost()
    return host
  }
  return {
    name: 'linux',
    plan: (request, dir, scope = null) => planLinux(request, dir, { ...look(), scope }),
    update: async (request, start, asked, wanted) =>
      updateLimits(request, start, asked, wanted, look().planner),
    sample: async start =>
      start.cgroups.length > 0 ? sampleCgroups(start, look().cgroups) : sampleProcesses(start),
    killTree: start => killLinuxTree(start),
    release: releaseCgroups,
  }
}

function lookAtHost(): LinuxHost & { readonly cgroups: CgroupHost } {
  const cgroups = detectCgroups()
  return { cgroups, planner: new CgroupPlanner(cgroups), access: ownAccess() }
}
