import type { Position } from '../hcl/source.ts'
import { type Finding, refusal } from './finding.ts'
import { volumeMounts } from '../tasks/mounts.ts'
import { parseSignal } from '../tasks/signals.ts'
import { checkDestination, isSystemPlace } from '../tasks/system-places.ts'
import type { Origin } from './drivers.ts'
import type { TaskView } from './task-view.ts'
import type { Body } from '../hcl/syntax.ts'

/**
 * What a task block may have that is Nomad's own affair, or reaches a driver in the same way whatever it is
 * called.
 */
const byNomad: ReadonlySet<string> = new Set([
  ...['action', 'affinity', 'artifact', 'config', 'constraint', 'consul', 'csi_plugin', 'dispatch_payload'],
  ...['driver', 'env', 'identity', 'kill_signal', 'kill_timeout', 'kind', 'leader', 'lifecycle', 'logs'],
  ...['meta', 'name', 'resources', 'restart', 'scaling', 'schedule', 'secret', 'service', 'shutdown_delay'],
  ...['template', 'user', 'vault', 'volume_mount'],
])
/** Told apart by what is in them. */
const entered: ReadonlySet<string> = new Set(['config', 'resources', 'driver', 'name'])

/** What a task block has beside its driver's options. */
export function judgeBlocks(view: TaskView, origin: Origin): Finding[] {
  return [
    ...present(view),
    ...resources(view),
    ...volumes(view),
    ...signal(view),
    ...(origin.capabilities === 'none' ? [] : destinations(view)),
    ...(origin.group === 'root' ? ofRootsGroup(view) : []),
  ]
}

function present({ task: { body } }: TaskView): Finding[] {
  const names = [
    ...Array.from(body.attributes, ([name, { at }]) => ({ name, at })),
    ...body.blocks.map(({ type, labels, at }) => ({
      name: type === 'dynamic' ? (labels[0] ?? '') : type,
      at,
    })),
  ]
  return names
    .filter(({ name }) => !entered.has(name))
    .map(({ name, at }) => (byNomad.has(name) ? same(name, at) : strange(name, at)))
}

function resources(view: TaskView): Finding[] {
  return view.blocks('resources').flatMap(({ body }) => [
    ...Array.from(body.attributes, ([name, { at }]) => same(`resources.${name}`, at)),
    ...body.blocks.map(({ type, at }): Finding => {
      if (type !== 'device') return same(`resources.${type}`, at)
      const why = 'the device plugin has to lend nodes under their own names, to read and to write'
      return { option: 'resources.device', verdict: 'unknown', at, why, change: null }
    }),
  ])
}

function volumes(view: TaskView): Finding[] {
  const mount = (task_path: string, propagation_mode: string) => () =>
    volumeMounts({ mounts: [{ task_path, host_path: '', readonly: false, propagation_mode }] })
  return [
    ...view.blocks('volume_mount').map(({ at, body }) => {
      const mode = view.text(body, 'propagation_mode') ?? ''
      return refusal('volume_mount', at, mount(view.text(body, 'destination') ?? '', mode))
    }),
    // The client mounts a plugin's directory so that what it mounts there is seen by the node.
    ...view.blocks('csi_plugin').map(({ at }) => refusal('csi_plugin', at, mount('/csi', 'bidirectional'))),
  ].filter(finding => finding !== null)
}

function signal(view: TaskView): Finding[] {
  const { at } = view.attribute(view.task.body, 'kill_signal') ?? { at: view.task.at }
  const name = view.text(view.task.body, 'kill_signal')
  const refused = name === null ? null : refusal('kill_signal', at, () => parseSignal(name))
  return refused === null ? [] : [refused]
}

const writable =
  /^(?:\.?\/)?(?:local|secrets|tmp|alloc)(?:\/|$)|^\$\{(?:env\["?)?NOMAD_(?:TASK|SECRETS|ALLOC)_DIR/

/** Where `exec` has a directory that a task may write to, the root here is read-only. */
function destinations(view: TaskView): Finding[] {
  return ['artifact', 'template'].flatMap(type =>
    view.blocks(type).flatMap(({ body }): Finding[] => {
      const destination = view.attribute(body, 'destination')
      if (typeof destination?.value !== 'string' || writable.test(destination.value)) return []
      if (destination.value === '') return []
      const { at, value } = destination
      const refused = refusal(`${type}.destination`, at, () => checkDestination(value))
      if (refused !== null) return [refused]
      const below = 'the task sees it below /, and cannot write there'
      const stays =
        type === 'template' && isChanged(view, body) && staysAsItWas(value, view.text(body, 'perms'))
      const why = stays ? `${below}; rendered anew, it is seen by the next start alone` : below
      const change = stays ? 'put it into local/' : 'where it is to write, put it into local/'
      return [{ option: `${type}.destination`, verdict: 'differs', at, why, change }]
    }),
  )
}

/** Rendered anew, it leaves the task running. */
function isChanged(view: TaskView, body: Body): boolean {
  return ['noop', 'script', 'signal'].includes(view.text(body, 'change_mode') ?? '')
}

/** What a task is shown by itself, and not by the directory it is in. */
function staysAsItWas(destination: string, perms: string | null): boolean {
  const [top = '', ...rest] = destination.split('/').filter(part => part !== '' && part !== '.')
  return rest.length === 0 || (isSystemPlace(top) && /[1357]/.test(perms ?? ''))
}

/** A template is root's own, and its group root's, unless it says otherwise. */
function ofRootsGroup(view: TaskView): Finding[] {
  if (/^(?:root|0+)$/.test(view.text(view.task.body, 'user') ?? '')) return []
  return view.blocks('template').flatMap(({ body }): Finding[] => {
    const perms = view.attribute(body, 'perms')
    if (typeof perms?.value !== 'string' || !/[0-3]$/.test(perms.value)) return []
    if (body.attributes.has('uid') || body.attributes.has('gid')) return []
    const why = "a task is in its user's groups, not in root's: it cannot read the file"
    const change = 'give it uid or gid, or let others read it'
    return [{ option: 'template.perms', verdict: 'differs', at: perms.at, why, change }]
  })
}

function same(option: string, at: Position): Finding {
  return { option, verdict: 'same', at, why: null, change: null }
}

function strange(option: string, at: Position): Finding {
  return { option, verdict: 'unknown', at, why: 'not known to this check', change: null }
}
