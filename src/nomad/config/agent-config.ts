import { isAbsolute } from 'node:path'
import { configuration, flag, integer, text, texts } from './attribute.ts'

const isPath = (value: string) => isAbsolute(value)
const isName = (value: string) => value !== ''

/**
 * The `config` block of `plugin "holdfast"` in the agent's configuration. docs/nomad.md says what each means.
 */
const agent = configuration({
  enabled: flag(true),
  state_dir: text('an absolute path', isPath),
  allow_weakened: flag(false),
  default_user: text('a user', isName),
  dynamic_workload_users: flag(false),
  allow_root: flag(false),
  allow_capabilities: texts('a capability such as "CAP_NET_BIND_SERVICE"', isName),
  allow_mounts: texts('an absolute path', isPath),
  allow_ipc_host: flag(false),
  default_pids: integer(1, 4_194_304, 'processes and threads'),
  collect_logs: flag(false),
  log_max_files: integer(2, 100, 'files'),
  log_max_file_size: integer(1, 1_048_576, 'MiB'),
})

export type AgentConfig = ReturnType<typeof agent.read>

export const agentSpec = agent.spec

/** Throws INVALID_ARGUMENT naming the attribute. */
export function readAgentConfig(value: unknown): AgentConfig {
  return agent.read(value, 'plugin config')
}
