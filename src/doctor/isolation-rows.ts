import type { Enforcement } from '../api.ts'
import type { HostRow } from '../platform/host-row.ts'
import type { Unit } from '../platform/linux/own-unit.ts'
import type { Refusal, RunReport } from './host-report.ts'

/**
 * A row for each isolation that a run without options has, by the same name, status and hint; of the network
 * what a task without one gets, for the default is the host's. Where nothing is started, a row for each that
 * is missing then.
 */
export function isolationRows(defaultRun: RunReport, basicRun: RunReport, network: RunReport): HostRow[] {
  const { refused } = defaultRun
  if (refused !== null)
    return isolations(basicRun.enforcement).map(({ name }) => nothingStarted(name, refused))
  const own = isolations(defaultRun.enforcement).filter(({ name }) => name !== 'network')
  const [networkRow] = network.enforcement.filter(({ name }) => name === 'network')
  return [
    ...own.map(hostRow),
    ...(networkRow === undefined
      ? [{ name: 'network', status: 'no' as const, why: '', hint: null, ...network.refused }]
      : [hostRow(networkRow)]),
  ]
}

/** Whether `run --overlay` works, and whose the files are to the task there. */
export function overlayRow(overlay: RunReport, { refused }: RunReport): HostRow {
  const name = 'overlay'
  if (refused !== null) return nothingStarted(name, refused)
  if (overlay.refused !== null) return { name, status: 'no', ...overlay.refused }
  const workspace = overlay.enforcement.find(row => row.name === 'workspace')
  const kept = 'what a task changes in its workspace is kept apart'
  if (workspace === undefined || workspace.status === 'enforced')
    return { name, status: 'yes', why: kept, hint: null }
  return { ...hostRow(workspace), name }
}

/** Why is said once for all. */
export function nothingStarted(name: string, { hint }: Refusal): HostRow {
  return { name, status: 'no', why: 'no task is started here', hint }
}

function isolations(enforcement: readonly Enforcement[]): readonly Enforcement[] {
  return enforcement.filter(({ kind }) => kind === 'isolation')
}

const statuses = { enforced: 'yes', weakened: 'weakened', skipped: 'no' } as const

export function hostRow({ name, status, requested, reason, hint }: Enforcement): HostRow {
  return { name, status: statuses[status], why: reason ?? requested, hint }
}

/** Only where there is something to say: outside a unit nobody stops tasks behind our back. */
export function unitRows(
  unit: Unit | null,
  { managed, defaultRun }: { readonly managed: boolean; readonly defaultRun: RunReport },
): HostRow[] {
  if (unit === null) return []
  const { name, killMode } = unit
  const why = `this process belongs to ${name}, KillMode=${killMode}`
  const yes = (more: string): HostRow[] => [{ name: 'unit', status: 'yes', why: why + more, hint: null }]
  if (killMode === 'process' || killMode === 'none') return yes('')
  const scoped =
    managed &&
    defaultRun.refused === null &&
    !defaultRun.enforcement.some(row => row.name === 'scope' && row.status !== 'enforced')
  if (scoped) return yes('; tasks are in a scope of their own, out of its reach')
  return [
    {
      name: 'unit',
      status: 'weakened',
      why: `${why}: a stop of it kills what it finds of tasks too`,
      hint: `systemctl edit ${name}, and in [Service]: KillMode=process and Delegate=yes`,
    },
  ]
}
