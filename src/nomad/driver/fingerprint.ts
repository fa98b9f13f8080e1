import { fingerprint } from '../../index.ts'
import type { PluginState } from '../plugin-state.ts'
import { streamOut } from '../wire/handlers.ts'
import { fingerprintOf } from './health.ts'

const everyMs = 300_000

/**
 * At once, and again every five minutes: hosts change, and each look starts some tasks. A look that fails is
 * told like any other finding; the stream stays open.
 */
export function fingerprints(state: PluginState) {
  return streamOut((_request, out) => {
    const send = () => {
      fingerprint().then(
        report => out.send(fingerprintOf(report, state.config)),
        (error: unknown) =>
          out.send({ attributes: {}, health: 1, health_description: String(error), err: String(error) }),
      )
    }
    send()
    const timer = setInterval(send, everyMs)
    return () => clearInterval(timer)
  })
}
