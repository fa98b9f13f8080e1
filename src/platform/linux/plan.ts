import { join } from 'node:path'
import { capabilityNumbers } from '../../command/capabilities.ts'
import { proxyVariables } from '../../command/destinations.ts'
import { taskEnvironment } from '../../command/environment.ts'
import { memoryLimit } from '../../command/memory-limit.ts'
import { commonSpec, holdMs } from '../common-spec.ts'
import { rlimitPairs } from '../limits.ts'
import { withOutputRow } from '../output-limit.ts'
import type { LandlockRule, MountOp } from '../../spawn/spec.ts'
import type { Plan, TaskRequest } from '../port.ts'
import { refuseIfStrict, whereAvailable } from '../rows.ts'
import { scopeRows } from '../scope-rows.ts'
import { planDisk } from './disk.ts'
import { planExternal } from './external-cgroups.ts'
import { workspaceOf } from '../../command/workspace.ts'
import { isolationOfKind } from './isolation-kinds.ts'
import { rulesOfHost, rulesOfRoot } from './landlock.ts'
import type { LinuxHost } from './linux-host.ts'
import { planExec } from './plan-exec.ts'
import { resolvedUser } from './own-user.ts'
import { overlayDirectory } from '../overlay-place.ts'
import { rootPlan } from './root.ts'
import { secretsDir, secretsRows } from './secrets.ts'
import { isItsAlone, shareAlloc } from './shared-alloc.ts'
import { shareWorkspace, type Workspace } from './workspace.ts'
import { workspacePlace } from './workspace-place.ts'

export async function planLinux(request: TaskRequest, dir: string, host: LinuxHost): Promise<Plan> {
  const { alloc, name, key } = request
  const { scope = null } = host
  const rootless = host.access.right === 'user-namespace'
  if (request.inside) return planExec(request, request.inside, dir, host)
  const resources = request.resources ?? {}
  const isolation = isolationOfKind(request.command, name, host.access)
  const { command, user: without } = await resolvedUser(request, isolation, host)
  const asked = workspaceOf(command)
  const workspace =
    asked &&
    (await shareWorkspace(workspacePlace(asked, { dir, alloc }), command, without, {
      access: host.access,
      walls: isolation,
      changes: overlayDirectory(request, dir),
    }))
  const user = workspace?.user ?? without
  const memory = memoryLimit(resources)
  const planned = host.planner.plan(key, resources, {
    pidNamespace: isolation.namespaces.includes('pid'),
    scope,
    name,
  })
  const cgroups = planExternal(planned, command.cgroups ?? [], resources)
  const secrets = secretsRows(request, isolation.ownRoot, isolation.rows)
  const shared = await shareAlloc({ alloc, key, command }, dir, user, host)
  const limits = whereAvailable(withOutputRow(cgroups.rows, command), request.preferred)
  const disk = await planDisk(limits, request, dir, host.access, isolation)
  const root = isolation.ownRoot
    ? rootPlan(command, alloc, {
        memory,
        rootless,
        seesProcesses: !isolation.namespaces.includes('pid'),
        asRoot: (user.credentials ?? host.access.self).uid === 0,
        ownIpc: isolation.namespaces.includes('ipc'),
        hostname: isolation.hostname,
        workspace,
        files: shared.files,
        inMemory: disk.inMemory,
        isNew: isItsAlone(alloc, key, dir),
        secrets: secrets.length > 0,
        cgroups: { host: host.planner.host, dirs: cgroups.cgroups.map(cgroup => cgroup.dir) },
      })
    : { ops: [], shared: 0, rows: [] }
  const places = isolation.ownRoot
    ? { allocDir: '/alloc', taskDir: '/local', ...(secrets.length > 0 && { secretsDir }) }
    : { allocDir: alloc.shared, taskDir: alloc.local }
  const { restricts, scopes } = isolation.landlock
  // Without a root of its own there is no /tmp of its own either.
  const temporary = restricts && !isolation.ownRoot ? { TMPDIR: join(alloc.shared, 'tmp') } : {}
  const own = { ...temporary, ...proxyVariables(command.network), ...command.env }
  const env = taskEnvironment(own, { ...places, userName: user.userName })
  const common = commonSpec(request, dir, env)
  const cwd = command.cwd ?? workspace?.at ?? '/'
  const rowsBefore = [
    ...isolation.rows,
    ...secrets,
    ...root.rows,
    ...(workspace?.rows ?? []),
    ...shared.rows,
    ...user.rows,
    ...scopeRows(scope),
  ]
  const enforcement = refuseIfStrict([...disk.rows, ...rowsBefore], request.strict)
  return {
    enforcement,
    disk: disk.bound,
    spec: Object.assign(common, {
      cwd,
      credentials: user.credentials,
      rlimits: rlimitPairs(resources.rlimits),
      cgroups: cgroups.cgroups,
      deferredCgroups: cgroups.deferred,
      oomFile: cgroups.oomFile,
      oom: cgroups.oom,
      freezer: cgroups.freezer,
      namespaces: isolation.namespaces,
      networkPath: isolation.networkPath,
      egress: isolation.egress,
      hostname: isolation.hostname,
      root: root.ops,
      rootShared: root.shared,
      capabilities: isolation.capabilities && capabilityNumbers(isolation.capabilities),
      noNewPrivileges: isolation.noNewPrivileges,
      seccomp: isolation.seccomp,
      holdMs: request.strict ? holdMs : null,
      offline: isolation.offline,
      landlock: {
        rules: restricts ? rulesOf(isolation.ownRoot ? root.ops : null, alloc, workspace) : [],
        scopes,
      },
    }),
  }
}

function rulesOf(
  root: readonly MountOp[] | null,
  alloc: TaskRequest['alloc'],
  workspace: Workspace | null,
): LandlockRule[] {
  if (root !== null) return rulesOfRoot(root)
  return [...rulesOfHost(alloc), ...(workspace === null ? [] : [workspace.rule])]
}
