import { isAbsolute } from 'node:path'
import { fromMsgpack, toMsgpack } from '../config/msgpack.ts'

/** What the agent keeps for us with each task, and hands back after we have been away. */
export type HandleState = { readonly stateDir: string; readonly key: string; readonly startedAt: number }

const version = 1

export function encodeState({ stateDir, key, startedAt }: HandleState): Buffer {
  return toMsgpack({ v: version, state_dir: stateDir, key, started_at: startedAt })
}

/** Throws for a version that is not known, and for what is no state at all. */
export function decodeState(bytes: Uint8Array): HandleState {
  const state = fromMsgpack(bytes, 'driver state') as Readonly<Record<string, unknown>> | null
  if (state?.v !== version)
    throw new Error(`driver state: got version ${String(state?.v)}, this driver knows ${version}`)
  const { state_dir: stateDir, key, started_at: startedAt } = state
  if (typeof stateDir !== 'string' || !isAbsolute(stateDir) || typeof key !== 'string')
    throw new Error('driver state: it names no task')
  return { stateDir, key, startedAt: typeof startedAt === 'number' ? startedAt : Date.now() }
}
