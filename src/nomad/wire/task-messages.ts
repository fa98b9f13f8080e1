import type { Seconds } from './time.ts'

/** Of what Nomad says of a task, the parts that are used here; absent messages are null. */
export type TaskConfig = {
  readonly id: string
  readonly name: string
  readonly msgpack_driver_config: Buffer
  readonly env: Readonly<Record<string, string>>
  readonly resources: Resources | null
  readonly mounts: readonly {
    task_path: string
    host_path: string
    readonly: boolean
    propagation_mode: string
  }[]
  readonly devices: readonly { task_path: string; host_path: string; cgroup_permissions: string }[]
  readonly user: string
  readonly alloc_dir: string
  readonly stdout_path: string
  readonly stderr_path: string
  readonly alloc_id: string
  readonly network_isolation_spec: NetworkIsolation | null
  readonly dns: Dns | null
}

type Resources = {
  readonly allocated_resources: {
    readonly memory: { readonly memory_mb: number; readonly memory_max_mb: number } | null
  } | null
  readonly linux_resources: {
    readonly cpu_shares: number
    readonly cpuset_cpus: string
    readonly PercentTicks: number
    readonly cpuset_cgroup: string
  } | null
}

export type NetworkIsolation = {
  /** 0: the host's, 1: the group's, 2: the task's own, 3: none. */
  readonly mode: number
  readonly path: string
  readonly hostsConfig: { readonly hostname: string; readonly address: string } | null
}

export type Dns = {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

export type TaskHandle = {
  readonly version: number
  readonly config: TaskConfig | null
  readonly driver_state: Buffer
}

export type ByTask = { readonly task_id: string }
export type StopTask = ByTask & { readonly timeout: Seconds | null; readonly signal: string }
export type StatsRequest = ByTask & { readonly collection_interval: Seconds | null }
export type ExecRequest = ByTask & { readonly command: readonly string[]; readonly timeout: Seconds | null }

export const taskState = { unknown: 0, running: 1, exited: 2 } as const
