import { existsSync } from 'node:fs'
import type { Platform } from '../port.ts'
import { type CgroupHost, detectCgroups } from './cgroup-mode.ts'
import { CgroupPlanner } from './cgroups.ts'
import { kernelFeatures } from './kernel-features.ts'
import { emptyCgroup, killLinuxTree } from './kill.ts'
import { type LinuxHost, planLinux } from './plan.ts'
import { releaseCgroups } from './release.ts'
import { sampleCgroups } from './sample.ts'

const leftoverMs = 2000

/** Limits by cgroups, isolation by namespaces. Looks at the host when first used. */
export function linuxPlatform(): Platform {
  let host: (LinuxHost & { readonly cgroups: CgroupHost }) | undefined
  const look = () => {
    host ??= lookAtHost()
    return host
  }
  return {
    name: 'linux',
    plan: async (request, dir) => {
      const plan = await planLinux(request, dir, look())
      await clearLeftovers(plan.spec.cgroups)
      return plan
    },
    sample: async start => sampleCgroups(start, look().cgroups),
    killTree: start => killLinuxTree(start),
    release: releaseCgroups,
  }
}

/** An earlier run under the same key must not count against this one's limits, nor live on beside it. */
async function clearLeftovers(cgroups: readonly { readonly dir: string }[]): Promise<void> {
  const left = cgroups.map(({ dir }) => dir).filter(dir => existsSync(dir))
  for (const dir of left) await emptyCgroup(dir, Date.now() + leftoverMs)
  if (left.length > 0) await releaseCgroups(left)
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
