import { request, type IncomingMessage } from 'node:http'
import type { Inspector } from '../../src/inspector/index.ts'

export type Answer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Asking = {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Default: the inspector's own. */
  readonly token?: string | null
}

/** Asks as no browser would let a page ask: with any Host, Origin and path. */
export function ask(page: Inspector, asking: Asking): Promise<Answer> {
  return new Promise((resolve, reject) => {
    open(page, asking, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      response.on('error', reject)
    }).on('error', reject)
  })
}

export function open(
  { host, port, token: own }: Inspector,
  { method = 'GET', path = '/', headers = {}, body, token = own }: Asking,
  answered: (response: IncomingMessage) => void,
) {
  const authorization = token === null ? {} : { Authorization: `Bearer ${token}` }
  const asked = request(
    { host, port, method, path, agent: false, headers: { ...authorization, ...headers } },
    answered,
  )
  asked.end(body)
  return asked
}

export type Message = { readonly event: string; readonly id: string | undefined; readonly data: unknown }

/** Reads server-sent events until `enough` says so, and breaks the connection. */
export function listen(
  page: Inspector,
  path: string,
  enough: (messages: readonly Message[]) => boolean,
  headers: Readonly<Record<string, string>> = {},
): Promise<Message[]> {
  return new Promise((resolve, reject) => {
    const messages: Message[] = []
    let text = ''
    const asked = open(page, { path, headers }, response => {
      if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`))
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        messages.push(...blocks.map(parse))
        if (!enough(messages)) return
        asked.destroy()
        resolve(messages)
      })
      response.on('error', reject)
      response.on('end', () => reject(new Error(`ended after ${JSON.stringify(messages)}`)))
    })
    asked.on('error', reject)
  })
}

function parse(block: string): Message {
  const field = (name: string): string | undefined =>
    block
      .split('\n')
      .find(line => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim()
  const data = field('data')
  return { event: field('event') ?? '', id: field('id'), data: data ? (JSON.parse(data) as unknown) : null }
}
