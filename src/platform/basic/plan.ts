import { HoldfastError } from '../../errors.ts'
import { taskEnvironment } from '../../command/environment.ts'
import { workspaceOf } from '../../command/workspace.ts'
import { refuseNoDirectory } from './no-directory.ts'
import { commonSpec, noNamespaces } from '../common-spec.ts'
import { lookWindowsPath } from '../../command/windows-lookup.ts'
import { nativeProgram } from '../../spawn/native-program.ts'
import type { LaunchSpec } from '../../spawn/spec.ts'
import type { Scope } from '../../spawn/scope.ts'
import type { Plan, TaskRequest } from '../port.ts'
import { refuseIfStrict, whereAvailable } from '../rows.ts'
import { scopeRows } from '../scope-rows.ts'
import { ownOrSwitched, type Self } from '../credentials.ts'
import { idMaps } from '../../id-maps.ts'
import { lacking, toBecomeAnybody } from '../../powers.ts'
import { nobodyElse } from '../unmapped.ts'
import { portableRows } from './portable-rows.ts'
import { basicRows, hint } from './rows.ts'

export async function planBasic(
  request: TaskRequest,
  dir: string,
  { self = ownUser(), scope = null }: { self?: Self; scope?: Scope | null } = {},
): Promise<Plan> {
  const { command, alloc, inside, secrets = [] } = request
  if (secrets.length > 0)
    throw new HoldfastError(
      'UNSUPPORTED',
      'command.secrets: the basic executor cannot keep them from other processes',
      { stage: 'namespace', hint },
    )
  if (command.user === 'own')
    throw new HoldfastError(
      'UNSUPPORTED',
      'command.user: "own" cannot be had: the basic executor gives a task no root, and files that it leaves in the host\'s would be those of the next user of its number',
      { stage: 'user', hint },
    )
  const called = { inside: inside ?? null, byName: request.byName ?? false, uid: self?.uid ?? null }
  const user = await ownOrSwitched(command, self, () => ownUserOnly(self))
  const rows = [...basicRows(command, request.resources ?? {}, called), ...user.rows, ...scopeRows(scope)]
  const places = { allocDir: alloc.shared, taskDir: alloc.local }
  const env = taskEnvironment(command.env, { ...places, userName: user.userName })
  const common = commonSpec(request, dir, env)
  const workspace = workspaceOf(command)
  if (workspace?.overlay)
    throw new HoldfastError(
      'UNSUPPORTED',
      'workspace.overlay: the basic executor cannot keep a task from changing the directory itself',
      { stage: 'mount', path: workspace.path, hint },
    )
  if (workspace !== null) refuseNoDirectory(workspace.path)
  const cwd = command.cwd ?? workspace?.path ?? alloc.task
  const spec: LaunchSpec = {
    ...common,
    path: programPath(common.path, env, cwd),
    cwd,
    credentials: user.credentials,
    rlimits: [],
    inside: inside ? { alive: inside.alive, leader: null, init: null } : null,
    cgroups: [],
    oomFile: null,
    freezer: null,
    ...noNamespaces,
    capabilities: null,
    noNewPrivileges: false,
    seccomp: false,
  }
  if ('unavailable' in nativeProgram()) rows.push(...portableRows(spec))
  return { enforcement: refuseIfStrict(whereAvailable(rows, request.preferred), request.strict), spec }
}

function programPath(name: string, env: Readonly<Record<string, string>>, cwd: string): string {
  // Elsewhere it is looked up by the task's own process, as that sees the files.
  if (process.platform !== 'win32') return name
  const value = (wanted: string): string | undefined =>
    Object.entries(env).find(([key]) => key.toUpperCase() === wanted)?.[1]
  return lookWindowsPath(name, { path: value('PATH'), pathext: value('PATHEXT'), cwd })
}

function ownUserOnly(self: Self): { reason: string; hint: string } | null {
  if (self === null || self.uid !== 0) return { reason: 'only root may do that', hint: 'run as root' }
  const missing = lacking(toBecomeAnybody, self.uid).join(', ')
  return missing === ''
    ? nobodyElse(idMaps())
    : { reason: `root has not ${missing} here`, hint: `give it ${missing}` }
}

function ownUser(): Self {
  const { geteuid, getegid } = process
  return geteuid && getegid ? { uid: geteuid.call(process), gid: getegid.call(process) } : null
}
