import { capabilityNumbers } from '../../command/capabilities.ts'
import { taskEnvironment } from '../../command/environment.ts'
import { interpolate } from '../../command/interpolate.ts'
import { resolveUser } from '../../command/users.ts'
import { HoldfastError } from '../../errors.ts'
import { memoryLimit, rlimitPairs } from '../limits.ts'
import type { Plan, TaskRequest } from '../port.ts'
import { settle } from '../rows.ts'
import { scopeRows } from '../scope-rows.ts'
import { streamTargets } from '../streams.ts'
import { intoGiven } from './given-cgroups.ts'
import { isolationOf } from './isolation.ts'
import type { LinuxHost } from './linux-host.ts'
import { lookInside } from './program.ts'
import { planInside } from './plan-inside.ts'
import { rootPlan } from './root.ts'
import { userRow } from './user-row.ts'

export async function planLinux(request: TaskRequest, dir: string, host: LinuxHost): Promise<Plan> {
  const { command, alloc, name, key } = request
  const { scope = null } = host
  if (host.uid !== 0)
    throw new HoldfastError(
      'PERMISSION',
      `the linux executor needs root, this process runs as user ${host.uid}`,
      {
        hint: 'run as root (sudo), or use the basic executor: newBasicExecutor(), holdfast run --basic',
      },
    )
  if (request.inside) return planInside(request, request.inside, dir, host)
  const credentials = await resolveUser(command.user ?? 'nobody', command.group)
  const resources = request.resources ?? {}
  const isolation = isolationOf(command, name, host.kernel)
  const memory = memoryLimit(resources)
  const root = isolation.ownRoot ? rootPlan(command, alloc, { memory }) : { ops: [], shared: 0, rows: [] }
  const places = isolation.ownRoot
    ? { allocDir: '/alloc', taskDir: '/local' }
    : { allocDir: alloc.shared, taskDir: alloc.local }
  const env = taskEnvironment(command.env, places)
  const cwd = command.cwd ?? '/'
  const typed = interpolate(command.path, env)
  const path = lookInside(typed, env.PATH ?? '', cwd, root.ops)
  const rowsBefore = [
    ...isolation.rows,
    ...root.rows,
    userRow(command.user, credentials.uid),
    ...scopeRows(scope),
  ]
  const planned = host.planner.plan(key, resources, {
    pidNamespace: isolation.namespaces.includes('pid'),
    scope,
    name,
  })
  const cgroups = intoGiven(planned, command.cgroups ?? [], resources)
  const enforcement = settle([...cgroups.rows, ...rowsBefore], request.strict)
  return {
    enforcement,
    spec: {
      dir,
      path,
      argv: [command.argv0 ?? typed, ...command.args.map(argument => interpolate(argument, env))],
      env: Object.entries(env).map(([variable, value]) => `${variable}=${value}`),
      cwd,
      umask: command.umask ?? 0o022,
      credentials,
      ...streamTargets(request, dir),
      terminal: command.terminal ?? null,
      nice: command.nice ?? null,
      oomScoreAdj: command.oomScoreAdj ?? null,
      rlimits: rlimitPairs(resources.rlimits),
      wallTimeMs: resources.wallTimeMs ?? null,
      graceMs: request.graceMs,
      durable: request.durable,
      owner: request.owner,
      cgroups: cgroups.cgroups,
      oomFile: cgroups.oomFile,
      freezer: cgroups.freezer,
      namespaces: isolation.namespaces,
      networkPath: isolation.networkPath,
      hostname: isolation.hostname,
      root: root.ops,
      rootShared: root.shared,
      capabilities: capabilityNumbers(command.capabilities ?? []),
      noNewPrivileges: isolation.noNewPrivileges,
      seccomp: isolation.seccomp,
    },
  }
}
