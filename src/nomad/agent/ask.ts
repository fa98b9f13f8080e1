import { once } from 'node:events'
import { type IncomingMessage, request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import { addAbortSignal } from 'node:stream'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { targetOf } from './address.ts'
import { type AgentAccess, AgentFault, codeOf, connectionFault } from './fault.ts'
import { readSmallFile } from './small-file.ts'

/** An allocation has all of its job in it, templates too. */
const maxBytes = 8 * 1024 * 1024

/**
 * What the agent's HTTP interface answers to a GET, as JSON. It follows no redirect and uses no proxy.
 * Rejects with AgentFault, and nothing else; within the timeout, whatever is at the address: the agent waits
 * for a start meanwhile.
 */
export async function ask(access: AgentAccess, path: string): Promise<unknown> {
  const { status, text } = await get(access, path)
  if (status === 200) return parsed(text, access)
  throw refusal(status, text, access)
}

type Answer = { readonly status: number; readonly text: string }

async function get(access: AgentAccess, path: string): Promise<Answer> {
  const target = targetOf(access.address)
  if (target === null) throw new AgentFault('address', 'names no address')
  const headers = tokenHeader(access)
  const tls = target.secure ? tlsOptions(access) : {}
  const signal = AbortSignal.timeout(access.timeout * 1000)
  const request = (target.secure ? overHttps : overHttp)({
    ...target.options,
    ...tls,
    path,
    headers,
    agent: false,
  })
  // Whatever comes after the answer: it is no news then.
  request.on('error', () => {})
  try {
    request.end()
    // With the signal: an answer that is none (101, a socket that closes) is no event of these.
    const [response] = (await once(request, 'response', { signal })) as [IncomingMessage]
    return { status: response.statusCode ?? 0, text: await textOf(response, signal, access) }
  } catch (error) {
    if (error instanceof AgentFault) throw error
    if (signal.aborted)
      throw new AgentFault('address', `${access.address} gave no answer within ${access.timeout} s`)
    throw connectionFault(error, access.address)
  } finally {
    request.destroy()
  }
}

async function textOf(
  response: IncomingMessage,
  signal: AbortSignal,
  { address }: AgentAccess,
): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of addAbortSignal(signal, response) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes)
      throw new AgentFault('address', `${address} answers with more than ${maxBytes / 1024 / 1024} MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The token is read each time: who renews it writes the file. */
function tokenHeader({ token_file: path }: AgentAccess): Record<string, string> {
  if (path === null) return {}
  const token = read('token_file', path).toString('utf8').trim()
  if (!/^[\x21-\x7e]+$/.test(token)) throw new AgentFault('token_file', `there is no token in ${path}`)
  return { 'x-nomad-token': token }
}

function tlsOptions(access: AgentAccess): SecureContextOptions & { servername?: string } {
  const { ca_file, cert_file, key_file, tls_server_name } = access
  const ca = ca_file === null ? {} : { ca: read('ca_file', ca_file) }
  const cert = cert_file === null ? {} : { cert: read('cert_file', cert_file) }
  const key = key_file === null ? {} : { key: read('key_file', key_file) }
  for (const [option, part] of Object.entries({
    ca_file: ca,
    cert_file: cert,
    key_file: { ...cert, ...key },
  }))
    checkPem(option as 'ca_file' | 'cert_file' | 'key_file', part)
  return { ...ca, ...cert, ...key, ...(tls_server_name !== null && { servername: tls_server_name }) }
}

function checkPem(option: keyof AgentAccess, part: SecureContextOptions): void {
  try {
    createSecureContext(part)
  } catch (error) {
    throw new AgentFault(option, `the file cannot be used (${codeOf(error)})`)
  }
}

function read(option: keyof AgentAccess, path: string): Buffer {
  try {
    return readSmallFile(path)
  } catch (error) {
    throw new AgentFault(option, `${path} cannot be read (${codeOf(error)})`)
  }
}

function parsed(text: string, { address }: AgentAccess): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new AgentFault('address', `${address} answers with what is no JSON`)
  }
}

/** A token that may not read the job is told that there is no such allocation, as where there is none. */
function refusal(status: number, text: string, { address, token_file }: AgentAccess): AgentFault {
  const isHidden = status === 404 || text.startsWith('Unknown allocation')
  if (!isHidden && status !== 401 && status !== 403)
    return new AgentFault('address', `${address} answers ${status}`)
  const without = `none is named, and ${address} ${isHidden ? 'shows this allocation to nobody' : 'takes nobody'}`
  const why =
    token_file === null
      ? `${without} without one`
      : `${address} ${isHidden ? 'does not show it this allocation' : 'does not take it'}`
  return new AgentFault('token_file', `${why} (${status})`)
}
