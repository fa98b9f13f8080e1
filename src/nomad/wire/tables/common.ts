import { empty, fields, type PackageTable } from '../table.ts'

/** Protobuf's own well-known types, and gRPC's health service. */
export const commonPackages: readonly PackageTable[] = [
  {
    name: 'google.protobuf',
    messages: {
      Duration: fields({ seconds: [1, 'int64'], nanos: [2, 'int32'] }),
      Timestamp: fields({ seconds: [1, 'int64'], nanos: [2, 'int32'] }),
      Empty: empty,
      Any: fields({ type_url: [1, 'string'], value: [2, 'bytes'] }),
    },
    enums: {},
  },
  {
    name: 'google.rpc',
    messages: {
      Status: fields({
        code: [1, 'int32'],
        message: [2, 'string'],
        details: [3, '[]google.protobuf.Any'],
      }),
    },
    enums: {},
  },
  {
    name: 'grpc.health.v1',
    messages: {
      HealthCheckRequest: fields({ service: [1, 'string'] }),
      HealthCheckResponse: fields({ status: [1, 'ServingStatus'] }),
    },
    enums: { ServingStatus: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } },
  },
]
