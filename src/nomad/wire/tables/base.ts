import { empty, fields, type PackageTable } from '../table.ts'

/** What every Nomad plugin speaks. */
export const basePackage: PackageTable = {
  name: 'hashicorp.nomad.plugins.base.proto',
  messages: {
    PluginInfoRequest: empty,
    PluginInfoResponse: fields({
      type: [1, 'PluginType'],
      plugin_api_versions: [2, '[]string'],
      plugin_version: [3, 'string'],
      name: [4, 'string'],
    }),
    ConfigSchemaRequest: empty,
    ConfigSchemaResponse: fields({ spec: [1, 'hashicorp.nomad.plugins.shared.hclspec.Spec'] }),
    SetConfigRequest: fields({
      msgpack_config: [1, 'bytes'],
      nomad_config: [2, 'NomadConfig'],
      plugin_api_version: [3, 'string'],
    }),
    SetConfigResponse: empty,
    NomadConfig: fields({ driver: [1, 'NomadDriverConfig'] }),
    NomadDriverConfig: fields({
      ClientMaxPort: [1, 'uint32'],
      ClientMinPort: [2, 'uint32'],
      Topology: [3, 'ClientTopology'],
    }),
    ClientTopology: fields({
      node_ids: [1, '[]uint32'],
      distances: [2, 'ClientTopologySLIT'],
      cores: [3, '[]ClientTopologyCore'],
      override_total_compute: [4, 'uint64'],
      override_withold_compute: [5, 'uint64'],
    }),
    ClientTopologySLIT: fields({ dimension: [1, 'uint32'], values: [2, '[]uint32'] }),
    // Speeds are in MHz.
    ClientTopologyCore: fields({
      socket_id: [1, 'uint32'],
      node_id: [2, 'uint32'],
      core_id: [3, 'uint32'],
      core_grade: [4, 'CoreGrade'],
      disable: [5, 'bool'],
      base_speed: [6, 'uint64'],
      max_speed: [7, 'uint64'],
      guess_speed: [8, 'uint64'],
    }),
  },
  enums: {
    PluginType: { UNKNOWN: 0, DRIVER: 2, DEVICE: 3 },
    CoreGrade: { Performance: 0, Efficiency: 1 },
  },
}
