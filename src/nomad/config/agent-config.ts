import { isAbsolute } from 'node:path'
import { invalidArgument } from '../../invalid-argument.ts'
import { takesAddress, targetOf } from '../agent/address.ts'
import { configuration, flag, integer, optionalBlock, text, texts, withDefault } from './attribute.ts'

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
  agent: optionalBlock({
    address: withDefault(
      'http://127.0.0.1:4646',
      text(takesAddress, value => targetOf(value) !== null),
    ),
    token_file: text('an absolute path', isPath),
    ca_file: text('an absolute path', isPath),
    cert_file: text('an absolute path', isPath),
    key_file: text('an absolute path', isPath),
    tls_server_name: text('the name of a host', isName),
    timeout: withDefault(2, integer(1, 60, 'seconds')),
  }),
})

export type AgentConfig = ReturnType<typeof agent.read>

export const agentSpec = agent.spec

/** Throws INVALID_ARGUMENT naming the attribute. */
export function readAgentConfig(value: unknown): AgentConfig {
  const config = agent.read(value, 'plugin config')
  checkTls(config)
  return config
}

/** What would be left out of account is refused: whoever writes it down counts on it. */
function checkTls({ agent: access }: AgentConfig): void {
  if (access === null) return
  const { address, cert_file, key_file, ca_file, tls_server_name } = access
  const at = 'plugin config.agent'
  const part = Object.entries({ ca_file, cert_file, key_file, tls_server_name }).find(([, is]) => is !== null)
  if (part !== undefined && targetOf(address)?.secure !== true)
    throw invalidArgument(`${at}.address`, address, `"https://HOST:PORT" beside ${part[0]}`)
  if ((cert_file === null) !== (key_file === null))
    throw invalidArgument(
      `${at}.${cert_file === null ? 'cert_file' : 'key_file'}`,
      Symbol('nothing'),
      'an absolute path: cert_file and key_file are given together',
    )
}
