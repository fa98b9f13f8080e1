import { Supervisor } from '../index.ts'
import { invalidArgument } from '../invalid-argument.ts'

export type InspectorOptions = {
  /** Whose tasks are shown. The inspector never starts, opens or closes any of it by itself. */
  readonly supervisor: Supervisor
  /** Default 0: a free one. */
  readonly port?: number
  /**
   * A loopback address: `127.0.0.1` (default), another of 127.0.0.0/8, or `::1`. There is no TLS: from
   * elsewhere, come through a tunnel.
   */
  readonly host?: string
  /**
   * What a Prometheus server says to read /metrics, and nothing else; 16 characters or more. Default: a
   * random one.
   */
  readonly metricsToken?: string
  /** Show the arguments of tasks, too, which may hold secrets. Default false: the program alone. */
  readonly showArguments?: boolean
  /**
   * Milliseconds after which a reader of a stream that takes nothing of what there is for it is cut off, 1 or
   * more. Default: 30000.
   */
  readonly stallMs?: number
}

/** setTimeout's own limit. */
const longest = 2 ** 31 - 1

export type InspectorSettings = Required<InspectorOptions>

/** Throws INVALID_ARGUMENT naming the option. */
export function parseInspectorOptions(
  options: InspectorOptions,
  randomToken: () => string,
): InspectorSettings {
  const { supervisor, port = 0, host = '127.0.0.1', showArguments = false, stallMs = 30_000 } = options
  const { metricsToken = randomToken() } = options
  if (!(supervisor instanceof Supervisor))
    throw invalidArgument('inspector option supervisor', Symbol(typeof supervisor), 'a Supervisor')
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw invalidArgument('inspector option port', port, 'a whole number, 0 to 65535')
  if (typeof host !== 'string' || !isLoopback(host))
    throw invalidArgument(
      'inspector option host',
      host,
      'a loopback address',
      'From another machine, use a tunnel: ssh -L PORT:127.0.0.1:PORT HOST',
    )
  if (typeof metricsToken !== 'string' || !/^[\x21-\x7e]{16,256}$/.test(metricsToken))
    throw invalidArgument(
      'inspector option metricsToken',
      Symbol('another'),
      '16 to 256 visible ASCII characters',
    )
  if (typeof showArguments !== 'boolean')
    throw invalidArgument('inspector option showArguments', Symbol(typeof showArguments), 'true or false')
  if (!(Number.isInteger(stallMs) && stallMs >= 1 && stallMs <= longest))
    throw invalidArgument('inspector option stallMs', stallMs, `whole milliseconds, 1 to ${longest}`)
  return { supervisor, port, host, metricsToken, showArguments, stallMs }
}

function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(host)
}
