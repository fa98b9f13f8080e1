import { empty, fields, type PackageTable } from '../table.ts'

/** What go-plugin itself speaks, beside the services it carries. */
export const pluginPackage: PackageTable = {
  name: 'plugin',
  messages: {
    Empty: empty,
    ConnInfo: fields({
      service_id: [1, 'uint32'],
      network: [2, 'string'],
      address: [3, 'string'],
      knock: [4, 'Knock'],
    }),
    Knock: fields({ knock: [1, 'bool'], ack: [2, 'bool'], error: [3, 'string'] }),
    StdioData: fields({ channel: [1, 'Channel'], data: [2, 'bytes'] }),
  },
  enums: { Channel: { INVALID: 0, STDOUT: 1, STDERR: 2 } },
}
