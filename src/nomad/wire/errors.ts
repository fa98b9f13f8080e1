import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { HoldfastError } from '../../index.ts'
import { codec } from './codec.ts'

/** Nomad's own words; it compares them in places. */
export class TaskNotFound extends Error {
  constructor() {
    super('task not found for given id')
  }
}

/**
 * Any error as the gRPC status a Go driver would have sent: UNKNOWN with the message. Never UNAVAILABLE or
 * CANCELLED, which Nomad takes for the death of the plugin.
 */
export function serviceError(error: unknown): ServiceError {
  return asServiceError(sentence(error), status.UNKNOWN, new Metadata())
}

/**
 * The error of a start. `recoverable`: the job's restart policy may try again; otherwise the allocation fails
 * at once and is placed anew. Nomad looks for its RecoverableError as the first detail of a
 * FAILED_PRECONDITION.
 */
export function startError(error: unknown): ServiceError {
  const recoverable = isPassing(error)
  const message = sentence(error)
  const details = [
    {
      type_url: 'type.googleapis.com/hashicorp.nomad.plugins.shared.structs.RecoverableError',
      value: codec('hashicorp.nomad.plugins.shared.structs.RecoverableError').encode({ recoverable }),
    },
  ]
  const metadata = new Metadata()
  metadata.set(
    'grpc-status-details-bin',
    codec('google.rpc.Status').encode({ code: status.FAILED_PRECONDITION, message, details }),
  )
  return asServiceError(message, status.FAILED_PRECONDITION, metadata)
}

/**
 * What a moment later may be different: a host that is short of something, a spawner that was killed. Not a
 * job that is wrong.
 */
function isPassing(error: unknown): boolean {
  if (!(error instanceof HoldfastError)) return false
  return (error.errno !== undefined && passing.has(error.errno)) || error.stage === 'spawner'
}

const passing = new Set(['EAGAIN', 'EBUSY', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EDQUOT'])

/** With what would mend it: the agent shows one line and nothing else. */
export function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const hint = error instanceof HoldfastError ? error.hint : undefined
  return hint === undefined ? error.message : `${error.message} (${hint})`
}

function asServiceError(message: string, code: status, metadata: Metadata): ServiceError {
  return Object.assign(new Error(message), { code, details: message, metadata })
}
