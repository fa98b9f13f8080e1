import type { ServiceDefinition } from '@grpc/grpc-js'
import { codec } from './codec.ts'

/** Each call's request and response, the names within the service's own package unless they have a dot. */
type Calls = Readonly<Record<string, readonly [kind: Kind, request: string, response: string]>>
type Kind = 'unary' | 'stream out' | 'stream both'

export const healthService = service('grpc.health.v1', 'Health', {
  Check: ['unary', 'HealthCheckRequest', 'HealthCheckResponse'],
  Watch: ['stream out', 'HealthCheckRequest', 'HealthCheckResponse'],
})

export const controllerService = service('plugin', 'GRPCController', {
  Shutdown: ['unary', 'Empty', 'Empty'],
})

export const brokerService = service('plugin', 'GRPCBroker', {
  StartStream: ['stream both', 'ConnInfo', 'ConnInfo'],
})

export const stdioService = service('plugin', 'GRPCStdio', {
  StreamStdio: ['stream out', 'google.protobuf.Empty', 'StdioData'],
})

export const baseService = service('hashicorp.nomad.plugins.base.proto', 'BasePlugin', {
  ...plain('unary', ['PluginInfo', 'ConfigSchema', 'SetConfig']),
})

const unaryCalls = [
  'Init',
  'TaskConfigSchema',
  'Capabilities',
  'RecoverTask',
  'StartTask',
  'WaitTask',
  'StopTask',
  'DestroyTask',
  'InspectTask',
  'Shutdown',
  'SignalTask',
  'ExecTask',
  'CreateNetwork',
  'DestroyNetwork',
]

export const driverService = service('hashicorp.nomad.plugins.drivers.proto', 'Driver', {
  ...plain('unary', unaryCalls),
  ...plain('stream out', ['Fingerprint', 'TaskStats']),
  TaskEvents: ['stream out', 'TaskEventsRequest', 'DriverTaskEvent'],
  ...plain('stream both', ['ExecTaskStreaming']),
})

/** Calls whose messages are called after them. */
function plain(kind: Kind, names: readonly string[]): Calls {
  return Object.fromEntries(names.map(name => [name, [kind, `${name}Request`, `${name}Response`] as const]))
}

function service(packageName: string, name: string, calls: Calls): ServiceDefinition {
  const definitions = Object.entries(calls).map(([call, [kind, request, response]]) => {
    const requests = codec(request.includes('.') ? request : `${packageName}.${request}`)
    const responses = codec(response.includes('.') ? response : `${packageName}.${response}`)
    return [
      call,
      {
        path: `/${packageName}.${name}/${call}`,
        requestStream: kind === 'stream both',
        responseStream: kind !== 'unary',
        requestSerialize: requests.encode,
        requestDeserialize: requests.decode,
        responseSerialize: responses.encode,
        responseDeserialize: responses.decode,
      },
    ] as const
  })
  return Object.fromEntries(definitions)
}
