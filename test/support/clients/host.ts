import { spawn } from 'node:child_process'
import { createServer as createPlain, type RequestListener, type Server } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gitProjects, type Pages, registries } from './registries.ts'
import type { Certificate } from './tls-authority.ts'

export type Host = {
  readonly https: number
  readonly http: number
  /** What was asked for, in order. */
  readonly asked: string[]
  close(): void
}

/** Two servers on the host's loopback with a registry of each kind. */
export async function startHost(directory: string, certificate: Certificate): Promise<Host> {
  const asked: string[] = []
  const answer = answering(registries(directory), gitProjects(directory), asked)
  const secure = createSecure(certificate, answer('https'))
  const plain = createPlain(answer('http'))
  const [https, http] = await Promise.all([listening(secure), listening(plain)])
  return {
    https,
    http,
    asked,
    close: () => {
      for (const server of [secure, plain]) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}

function answering(pages: Pages, projects: string, asked: string[]): (scheme: string) => RequestListener {
  return scheme => (request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', `${scheme}://${request.headers.host}`)
    asked.push(`${scheme} ${pathname}`)
    if (pathname.startsWith('/git/'))
      return git(projects, pathname.slice('/git'.length), search, request, response)
    const page = pages.get(pathname)
    if (page === undefined) return response.writeHead(404).end()
    response.setHeader(
      'content-type',
      pathname.startsWith('/simple/') ? 'text/html' : 'application/octet-stream',
    )
    response.end(page(`${scheme}://${request.headers.host}`))
  }
}

/** Git's own program for it, which speaks CGI. */
function git(
  projects: string,
  path: string,
  search: string,
  ...[request, response]: Parameters<RequestListener>
): void {
  const {
    'content-type': type = '',
    'git-protocol': protocol = '',
    'content-encoding': encoding = '',
  } = request.headers
  const backend = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...{ GIT_PROJECT_ROOT: projects, GIT_HTTP_EXPORT_ALL: '1', GIT_PROTOCOL: String(protocol) },
      ...{ PATH_INFO: path, QUERY_STRING: search.slice(1), REQUEST_METHOD: request.method },
      ...{ CONTENT_TYPE: type, HTTP_CONTENT_ENCODING: encoding, REMOTE_ADDR: '127.0.0.1' },
    },
  })
  request.pipe(backend.stdin)
  const chunks: Buffer[] = []
  backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  backend.on('close', () => {
    const whole = Buffer.concat(chunks)
    const end = whole.indexOf('\r\n\r\n')
    const headers = whole
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map(line => line.split(': ', 2) as [string, string])
    const { status = '200', ...rest } = Object.fromEntries(
      headers.map(([name, value]) => [name.toLowerCase(), value]),
    )
    response.writeHead(Number.parseInt(status, 10), rest).end(whole.subarray(end + 4))
  })
}

function listening(server: Server): Promise<number> {
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
