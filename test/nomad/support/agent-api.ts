import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Server } from 'node:net'

type Asked = { readonly url: string; readonly headers: IncomingHttpHeaders }

/** An agent's HTTP interface, as far as a driver asks it. */
export class AgentApi {
  /** What it was asked, in order. */
  readonly asked: Asked[] = []
  answer: RequestListener = (_request, response) => response.writeHead(404).end('alloc not found')
  readonly #server: Server & { closeAllConnections(): void }

  private constructor(tls: ServerOptions | null) {
    const listener: RequestListener = (request, response) => {
      this.asked.push({ url: request.url ?? '', headers: request.headers })
      this.answer(request, response)
    }
    this.#server = tls === null ? createServer(listener) : createTlsServer(tls, listener)
    // Of clients that were turned away: they say so themselves.
    this.#server.on('tlsClientError', () => {})
  }

  static async listen(at: { readonly path?: string; readonly tls?: ServerOptions } = {}): Promise<AgentApi> {
    const api = new AgentApi(at.tls ?? null)
    api.#server.listen(at.path === undefined ? { port: 0, host: '127.0.0.1' } : { path: at.path })
    await once(api.#server, 'listening')
    return api
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Answers with this text from now on. */
  says(text: string, status = 200): void {
    this.answer = (_request, response) => response.writeHead(status).end(text)
  }

  /** Answers with an allocation whose job has this `logs` block; more than one group and task. */
  knows(id: string, LogConfig: unknown, more: object = {}): void {
    const other = { Name: 'other', LogConfig: { MaxFiles: 7, MaxFileSizeMB: 7, Disabled: false } }
    const task = { Name: 't', Driver: 'holdfast', LogConfig }
    const TaskGroups = [
      { Name: 'elsewhere', Tasks: [{ ...other, Name: 't' }] },
      { Name: 'g', Tasks: [other, task] },
    ]
    this.says(JSON.stringify({ ID: id, TaskGroup: 'g', Job: { ID: 'j', TaskGroups }, ...more }))
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
