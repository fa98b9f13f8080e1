import { createParser, type EventSourceMessage } from 'eventsource-parser'

const storageKey = 'holdfast-token'
let token = ''

/**
 * Takes the token out of the address, so that it stands neither in the history nor on the screen; a reload of
 * the tab still has it.
 */
export function takeToken(): boolean {
  const fields = new URLSearchParams(location.hash.slice(1))
  const fromAddress = fields.get('token')
  if (fromAddress) {
    sessionStorage.setItem(storageKey, fromAddress)
    fields.delete('token')
    const rest = fields.toString()
    history.replaceState(null, '', location.pathname + (rest === '' ? '' : `#${rest}`))
  }
  token = sessionStorage.getItem(storageKey) ?? ''
  return token !== ''
}

export function setToken(text: string): void {
  const [, inAddress] = /[#&]token=([^&\s]+)/.exec(text) ?? []
  token = inAddress ?? text.trim()
  sessionStorage.setItem(storageKey, token)
}

/** The server does not take our token: another server, or another life of it. */
export class Refused extends Error {}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...init.headers, Authorization: `Bearer ${token}` }
  const response = await fetch(path, { ...init, headers, credentials: 'omit', cache: 'no-store' })
  if (response.status === 401) throw new Refused('the token is not the right one')
  return response
}

export async function getJson<Value>(path: string, signal?: AbortSignal): Promise<Value> {
  const response = await request(path, signal === undefined ? {} : { signal })
  if (!response.ok) throw new Error(await reason(response))
  return (await response.json()) as Value
}

export async function post(path: string, body: unknown): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  const response = await request(path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(await reason(response))
}

async function reason(response: Response): Promise<string> {
  const body = (await response.json().catch(() => null)) as { error?: { message?: string } } | null
  return body?.error?.message ?? `the server answered ${response.status}`
}

/**
 * One stream of server-sent events, until it ends. By fetch, because an EventSource can carry no token but in
 * its address.
 */
export async function events(
  path: string,
  { signal, lastEventId, opened }: { signal: AbortSignal; lastEventId?: string; opened?: () => void },
  each: (message: EventSourceMessage) => void,
): Promise<void> {
  const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }
  const response = await request(path, { headers, signal })
  if (!response.ok || response.body === null) throw new Error(await reason(response))
  opened?.()
  const parser = createParser({ onEvent: each })
  const decoder = new TextDecoder()
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    parser.feed(decoder.decode(value, { stream: true }))
  }
}
