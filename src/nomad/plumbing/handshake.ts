/**
 * What Nomad puts into the environment of a plugin it starts, so that nobody takes one for a program of their
 * own.
 */
export const cookie = {
  name: 'NOMAD_PLUGIN_MAGIC_COOKIE',
  value: 'e4327c2e01eabfd75a8a67adb114fb34a757d57eee7728d857a8cec6e91a7255',
} as const

const coreVersion = 1
/** Of Nomad's plugins. */
const appVersion = 2

/** Why this process cannot serve whoever has started it, or null. */
export function refusal(env: NodeJS.ProcessEnv): string | null {
  if (env[cookie.name] !== cookie.value)
    return 'nomad-driver is a plugin: Nomad starts it. Put it into the plugin_dir of an agent (docs/nomad.md).'
  const versions = env.PLUGIN_PROTOCOL_VERSIONS?.split(',') ?? []
  if (versions.length > 0 && !versions.includes(String(appVersion)))
    return `the agent speaks plugin protocol ${versions.join(', ')}, this driver ${appVersion}`
  if (env.PLUGIN_CLIENT_CERT)
    return 'the agent asks for mutual TLS, which this driver does not speak: its socket is a private file'
  return null
}

/**
 * The one line on standard output by which go-plugin learns where we listen. The last field is only for those
 * who ask for it: older hosts refuse seven.
 */
export function handshakeLine(socket: string, env: NodeJS.ProcessEnv): string {
  const line = [coreVersion, appVersion, 'unix', socket, 'grpc', '']
  return `${[...line, ...(env.PLUGIN_MULTIPLEX_GRPC ? ['false'] : [])].join('|')}\n`
}
