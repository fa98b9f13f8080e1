import { dirname } from 'node:path'
import type { Command, Enforcement } from '../../api.ts'
import { capabilityNumbers } from '../../command/capabilities.ts'
import { proxyVariables } from '../../command/destinations.ts'
import { taskEnvironment } from '../../command/environment.ts'
import { commonSpec, holdMs, noNamespaces } from '../common-spec.ts'
import { execLimitRows, insideWhat } from '../exec-rows.ts'
import { rlimitPairs } from '../limits.ts'
import { withOutputRow } from '../output-limit.ts'
import type { LandlockRule } from '../../spawn/spec.ts'
import type { TargetTask, Plan, TaskRequest } from '../port.ts'
import { enforced, refuseIfStrict } from '../rows.ts'
import { isolationOf } from './isolation.ts'
import { landlockOfHostRoot, rulesOfSession, rulesOfHost } from './landlock.ts'
import type { LinuxHost } from './linux-host.ts'
import { kindOf } from './own-cgroup.ts'
import { ownUserInside } from './own-user.ts'
import { secretsDir } from './secrets.ts'
import { taskUser } from './task-user.ts'
import type { TaskCredentials } from '../credentials.ts'
import { userOfProcess } from './user-of-process.ts'
import { workspaceOf } from '../../command/workspace.ts'
import { ownersCredentials } from './workspace-owner.ts'

/**
 * A second command inside a running task: its namespaces, root and cgroups are entered as they are, but for
 * cgroups below those where the command has limits of its own, and it gets the privileges that the task's own
 * has. A bare name is looked up by the native program when it is inside, on the PATH as it is there.
 */
export async function planExec(
  request: TaskRequest,
  inside: TargetTask,
  dir: string,
  host: LinuxHost,
): Promise<Plan> {
  const { command, alloc } = request
  const entered = enteredRows(inside)
  const user =
    ownUserInside(inside, command) ??
    (await ownerOf(inside, command, host)) ??
    (await taskUser(command, host.access))
  const resources = request.resources ?? {}
  const isolation = isolationOf(command, inside.name, host.access)
  const ownRoot = entered.find(({ name }) => name === 'root')?.status === 'enforced'
  const hasSecrets = entered.some(({ name }) => name === 'secrets')
  const places = (entered.length === 0 ? isolation.ownRoot : ownRoot)
    ? { allocDir: '/alloc', taskDir: '/local', ...(hasSecrets && { secretsDir }) }
    : { allocDir: alloc.shared, taskDir: alloc.local }
  const env = taskEnvironment(
    { ...proxyVariables(command.network), ...command.env },
    { ...places, userName: user.userName },
  )
  const common = commonSpec(request, dir, env)
  const { task: leader, init } = inside.start
  const rules = isolation.landlock.restricts ? rulesIn(entered, request) : []
  const own = isolation.rows.map(row =>
    row.name === 'landlock' && isolation.landlock.restricts && rules.length === 0 ? landlockOfHostRoot : row,
  )
  const ofTask = inside.start.cgroups.filter(path => kindOf(path) !== 'foreign')
  const placed = host.planner.sessions.plan(request.key, ofTask, resources)
  const isOwn = new Set(placed.cgroups.map(({ dir }) => dirname(dir)))
  const deferred = host.planner.deferredOf(ofTask).filter(dir => !isOwn.has(dir))
  const enforcement = refuseIfStrict(
    [
      ...withOutputRow(execLimitRows(resources, { rlimits: true, own: placed.rows }), command),
      enforced(insideWhat(inside)),
      ...(entered.length === 0 ? own : own.filter(row => !isEntered(row))),
      ...entered,
      ...user.rows,
    ],
    request.strict,
  )
  return {
    enforcement,
    spec: {
      ...common,
      cwd: command.cwd ?? workspaceOf(command)?.path ?? '/',
      credentials: user.credentials,
      rlimits: rlimitPairs({ ...inside.rlimits, ...resources.rlimits }),
      inside: { alive: inside.alive, leader, init },
      cgroups: placed.cgroups,
      deferredCgroups: deferred,
      oomFile: placed.oomFile,
      oom: placed.oom,
      freezer: null,
      ...noNamespaces,
      capabilities: isolation.capabilities && capabilityNumbers(isolation.capabilities),
      noNewPrivileges: isolation.noNewPrivileges,
      seccomp: isolation.seccomp,
      holdMs: request.strict ? holdMs : null,
      offline: entered.length === 0 ? isolation.offline : isOffline(entered),
      // Abstract sockets of its task are for it to talk to; the task itself cannot signal it.
      landlock: { rules, scopes: [] },
    },
  }
}

/**
 * A task that runs as the owner of its workspace has exec sessions that do, unless they are told otherwise.
 * Null: it does not.
 */
async function ownerOf(
  { start: { task }, isolation = [] }: TargetTask,
  command: Readonly<Command>,
  { access }: LinuxHost,
): Promise<TaskCredentials | null> {
  if (!isolation.some(({ name, status }) => name === 'workspace' && status === 'weakened')) return null
  const owner = userOfProcess(task)
  return owner && ownersCredentials(owner, command, access)
}

/**
 * The walls of the task's root are the exec session's. None where the task has the host's, or was stored
 * without what it has.
 */
function rulesIn(entered: readonly Enforcement[], { alloc }: TaskRequest): readonly LandlockRule[] {
  const status = entered.find(({ name }) => name === 'root')?.status
  if (status === 'enforced') return rulesOfSession
  return status === 'weakened' ? rulesOfHost(alloc) : []
}

/**
 * What the task has, its exec sessions have: a supervisor with other rights than that of the task, or of
 * another day, cannot tell from its own. None for a task that was stored without them.
 */
function enteredRows({ isolation = [] }: TargetTask): readonly Enforcement[] {
  return isolation.filter(isEntered)
}

/** As its task: no other network is less than was asked for. */
function isOffline(entered: readonly Enforcement[]): boolean {
  return entered.find(({ name }) => name === 'network')?.status === 'weakened'
}

function isEntered({ name }: Enforcement): boolean {
  return name.startsWith('namespace.') || enteredByName.has(name)
}

const enteredByName: ReadonlySet<string> = new Set(['root', 'network', 'devices', 'secrets', 'workspace'])
