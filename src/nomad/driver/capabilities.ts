const isolation = { none: 0, image: 2 } as const
const networks = { host: 0, group: 1, none: 3 } as const
const anyMounts = 0

/**
 * `image`: the client tells tasks of `/alloc`, `/local` and `/secrets` and leaves it to us to put them there,
 * and gives them nothing of the host's environment. Where there is no root of one's own (no Linux, no root
 * user) tasks see the host's paths. `collectsLogs`: the client starts no collector, and makes no FIFOs.
 */
export function capabilities(ownRoot: boolean, collectsLogs: boolean): object {
  return {
    send_signals: true,
    exec: true,
    fs_isolation: ownRoot ? isolation.image : isolation.none,
    network_isolation_modes: [networks.host, networks.group, networks.none],
    must_create_network: false,
    mount_configs: anyMounts,
    disable_log_collection: collectsLogs,
    dynamic_workload_users: false,
  }
}
