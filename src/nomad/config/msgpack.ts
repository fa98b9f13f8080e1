import { decode, encode } from '@msgpack/msgpack'
import { HoldfastError } from '../../index.ts'

/** What the agent sends as msgpack; no bytes at all are an empty configuration. Throws INVALID_ARGUMENT. */
export function fromMsgpack(bytes: Uint8Array, what: string): unknown {
  if (bytes.length === 0) return {}
  try {
    return decode(bytes)
  } catch (error) {
    throw new HoldfastError('INVALID_ARGUMENT', `${what} is not msgpack: ${String(error)}`, { cause: error })
  }
}

export function toMsgpack(value: unknown): Buffer {
  return Buffer.from(encode(value))
}
