const isolation = { none: 0, image: 2 } as const
const networks = { host: 0, group: 1, none: 3 } as const
const anyMounts = 0

type Offered = {
  /** A root of the task's own: Linux, as root. */
  readonly ownRoot: boolean
  /** The client starts no collector, and makes no FIFOs. */
  readonly collectsLogs: boolean
  /** The client gives each task that names no user a number of its own, from its pool. */
  readonly dynamicUsers: boolean
}

/**
 * `image`: the client tells tasks of `/alloc`, `/local` and `/secrets` and leaves it to us to put them there,
 * and gives them nothing of the host's environment. Where there is no root of one's own (no Linux, no root
 * user) tasks see the host's paths.
 */
export function capabilities({ ownRoot, collectsLogs, dynamicUsers }: Offered): object {
  return {
    send_signals: true,
    exec: true,
    fs_isolation: ownRoot ? isolation.image : isolation.none,
    network_isolation_modes: [networks.host, networks.group, networks.none],
    must_create_network: false,
    mount_configs: anyMounts,
    disable_log_collection: collectsLogs,
    dynamic_workload_users: ownRoot && dynamicUsers,
  }
}
