import type { StartRecord } from '../../../machines/index.ts'
import type { Platform, UsageProbe } from '../port.ts'
import { readInForce, recordedInForce } from '../in-force/in-force.ts'
import { ownAccess } from './access.ts'
import { type CgroupHost, detectCgroups } from './cgroup-mode.ts'
import { CgroupPlanner } from './cgroups.ts'
import { killLinuxTree } from './kill.ts'
import type { LinuxHost } from './linux-host.ts'
import { kindOf } from './own-cgroup.ts'
import { planLinux } from './plan.ts'
import { releaseCgroups } from './release.ts'
import { CgroupProbe } from './cgroup-probe.ts'
import { updateLimits, updateSession } from './update.ts'

type Options = {
  /** For a task that has no cgroup, as an ordinary user's where none is delegated: from its processes. */
  readonly probeProcesses: (start: StartRecord) => UsageProbe
}

/** Limits by cgroups, isolation by namespaces. Looks at the host when first used. */
export function linuxPlatform({ probeProcesses }: Options): Platform {
  let host: (LinuxHost & { readonly cgroups: CgroupHost }) | undefined
  const detected = () => (host ??= lookAtHost())
  // By the native program, which may be another by now.
  const withAccess = () => ({ ...detected(), access: ownAccess() })
  return {
    name: 'linux',
    plan: (request, dir, scope = null, numbers = null) =>
      planLinux(request, dir, { ...withAccess(), scope, numbers }),
    update: async (request, start, asked, wanted) => {
      const update = request.inside ? updateSession : updateLimits
      return update(request, believed(start), asked, wanted, detected().planner)
    },
    inForce: task => {
      const { planner, cgroups: host } = detected()
      return readInForce(task, { cgroups: planner.present(believed(task.start).cgroups), host })
    },
    recorded: recordedInForce,
    probe: start => {
      const cgroups = detected().planner.joined(believed(start))
      return cgroups.length > 0 ? new CgroupProbe({ cgroups }, detected().cgroups) : probeProcesses(start)
    },
    killTree: (start, options) => killLinuxTree(start, options),
    release: cgroups => releaseCgroups(detected().planner.present(cgroups)),
  }
}

/** Without what a record calls a cgroup and is none. */
function believed(start: StartRecord): StartRecord {
  return { ...start, cgroups: start.cgroups.filter(dir => kindOf(dir) !== 'foreign') }
}

function lookAtHost(): LinuxHost & { readonly cgroups: CgroupHost } {
  const cgroups = detectCgroups()
  return { cgroups, planner: new CgroupPlanner(cgroups), access: ownAccess() }
}
