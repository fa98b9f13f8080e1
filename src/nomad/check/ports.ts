import type { Origin } from './drivers.ts'
import type { Finding } from './finding.ts'
import type { TaskView } from './task-view.ts'

/** Below it a port takes CAP_NET_BIND_SERVICE (net.ipv4.ip_unprivileged_port_start, ip(7)). */
const firstUnprivileged = 1024

/** The mode of the group's network; `host` where there is none. */
export function networkMode(view: TaskView): string {
  const network = view.blocks('network', view.task.around)[0]
  return (network && view.text(network.body, 'mode')) ?? 'host'
}

/** Ports that a task could open under a driver that leaves it the capability for it. */
export function privilegedPorts(view: TaskView, origin: Origin, kept: readonly string[]): Finding[] {
  if (origin.capabilities === 'none' || kept.includes('CAP_NET_BIND_SERVICE')) return []
  const networks = [
    ...view.blocks('network', view.task.around),
    ...view.blocks('resources').flatMap(({ body }) => view.blocks('network', body)),
  ]
  return networks.flatMap(network =>
    view.blocks('port', network.body).flatMap(({ at, labels, body }): Finding[] => {
      const within = view.attribute(body, 'to')?.value
      const listens =
        typeof within === 'number' && within > 0 ? within : view.attribute(body, 'static')?.value
      if (typeof listens !== 'number' || listens <= 0 || listens >= firstUnprivileged) return []
      const option = labels[0] === undefined ? 'network.port' : `network.port.${labels[0]}`
      const why = `a task without capabilities cannot listen at ${listens}`
      const change =
        'cap_add = ["NET_BIND_SERVICE"], and allow_capabilities of the plugin; or a port from 1024'
      return [{ option, verdict: 'differs', at, why, change }]
    }),
  )
}
