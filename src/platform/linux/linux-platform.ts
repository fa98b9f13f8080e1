import type { Platform } from '../port.ts'
import { type CgroupHost, detectCgroups } from './cgroup-mode.ts'
import { CgroupPlanner } from './cgroups.ts'
import { kernelFeatures } from './kernel-features.ts'
import { killLinuxTree } from './kill.ts'
import type { LinuxHost } from './linux-host.ts'
import { planLinux } from './plan.ts'
import { releaseCgroups } from './release.ts'
import { sampleCgroups } from './sample.ts'
import { updateLimits } from './update.ts'

/** Limits by cgroups, isolation by namespaces. Looks at the host when first used. */
export function linuxPlatform(): Platform {
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
    sample: async start => sampleCgroups(start, look().cgroups),
    killTree: start => killLinuxTree(start),
    release: releaseCgroups,
  }
}

function lookAtHost(): LinuxHost & { readonly cgroups: CgroupHost } {
  const cgroups = detectCgroups()
  return {
    cgroups,
    planner: new CgroupPlanner(cgroups),
    kernel: kernelFeatures(),
    uid: process.geteuid?.() ?? -1,
  }
}
