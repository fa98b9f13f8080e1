import type { LaunchSpec } from '../spec.ts'

/**
 * What a portable shim reads, as JSON, from its standard input: it holds the task's environment, so it is
 * never in argv.
 */
export type ShimRequest = {
  readonly spec: LaunchSpec
  /** Whose child the shim is. */
  readonly supervisor: number
  /** The task's standard input is the pipe that the shim was given as descriptor 3, and not `spec.stdin`. */
  readonly fed: boolean
  /**
   * Descriptors of the supervisor's that the task asks for (`fd:N`): it has passed them to the shim in this
   * order, behind the pipe.
   */
  readonly externalDescriptors: readonly number[]
}

/** Of the pipe by which the supervisor feeds the task. */
export const feedDescriptor = 3

/** Descriptors of the supervisor's, by their number there: what they are here. */
export function externalOnArrival({
  fed,
  externalDescriptors,
}: Pick<ShimRequest, 'fed' | 'externalDescriptors'>): ReadonlyMap<number, number> {
  const first = feedDescriptor + (fed ? 1 : 0)
  return new Map(externalDescriptors.map((number, index) => [number, first + index]))
}
