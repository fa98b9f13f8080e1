import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { agentSpec, readAgentConfig } from '../config/agent-config.ts'
import { fromMsgpack } from '../config/msgpack.ts'
import type { PluginState } from '../plugin-state.ts'
import { driverName, version } from '../version.ts'
import { unary } from '../wire/handlers.ts'
import { megahertzOf, type Topology } from './topology.ts'

/** The only version agents know. */
const apiVersion = 'v0.1.0'
const pluginTypeDriver = 2

type SetConfig = {
  readonly msgpack_config: Buffer
  readonly nomad_config: { readonly driver: { readonly Topology: Topology | null } | null } | null
}

/** What every plugin of Nomad's answers. */
export function base(state: PluginState): UntypedServiceImplementation {
  return {
    PluginInfo: unary(() => ({
      type: pluginTypeDriver,
      plugin_api_versions: [apiVersion],
      plugin_version: version(),
      name: driverName,
    })),
    ConfigSchema: unary(() => ({ spec: agentSpec })),
    // Called without nomad_config to have it checked only. It has no effect but that later calls go by it.
    SetConfig: unary(({ msgpack_config, nomad_config }: SetConfig) => {
      state.config = readAgentConfig(fromMsgpack(msgpack_config, 'plugin config'))
      state.coreMhz = megahertzOf(nomad_config?.driver?.Topology ?? null) ?? state.coreMhz
      return {}
    }),
  }
}
