import type { AgentConfig } from '../config/agent-config.ts'

export type AgentAccess = NonNullable<AgentConfig['agent']>

/** Why the agent could not be asked, and the plugin option that would change it. Never with a token in it. */
export class AgentFault extends Error {
  readonly option: `agent.${keyof AgentAccess}`

  constructor(option: keyof AgentAccess, why: string) {
    super(`plugin config.agent.${option}: ${why}`)
    this.option = `agent.${option}`
  }
}

/** Of a request that had no answer. Nothing that was read is repeated: it may be anything, a token too. */
export function connectionFault(error: unknown, address: string): AgentFault {
  const code = codeOf(error)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return new AgentFault('tls_server_name', `the certificate of ${address} is of another name`)
  if (/_ALERT_/.test(code))
    return new AgentFault('cert_file', `${address} takes none but certificates that it knows (${code})`)
  // OpenSSL's own words of a chain that does not end where it should.
  if (/^(?!ERR_|E[A-Z]+$)\w*(?:CERT|SIGNATURE|CRL|CA)\w*$/.test(code))
    return new AgentFault('ca_file', `the certificate of ${address} is not of this authority (${code})`)
  return new AgentFault('address', `${address} cannot be asked (${code})`)
}

export function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' && /^\w{1,80}$/.test(code) ? code : 'no reason given'
}
