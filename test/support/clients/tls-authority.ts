import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Certificate = { readonly key: Buffer; readonly cert: Buffer }

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']

/** One of an authority of its own, whose certificate is `ca.pem` in the directory. */
export function localhostCertificate(directory: string): Certificate {
  const path = (name: string): string => join(directory, name)
  const authority = ['-keyout', path('ca.key'), '-out', path('ca.pem'), '-subj', '/CN=authority']
  const own = ['-keyout', path('server.key'), '-out', path('server.pem'), '-subj', '/CN=localhost']
  request([...newKey, ...authority, ...extensions('keyUsage=critical,keyCertSign')])
  const signed = ['-CA', path('ca.pem'), '-CAkey', path('ca.key')]
  const name = 'subjectAltName=DNS:localhost,IP:127.0.0.1'
  request([...newKey, ...own, ...signed, ...extensions('basicConstraints=critical,CA:FALSE', name)])
  return { key: readFileSync(path('server.key')), cert: readFileSync(path('server.pem')) }
}

function request(words: readonly string[]): void {
  execFileSync('openssl', ['req', '-x509', ...words], { stdio: 'pipe' })
}

const extensions = (...values: string[]): string[] => values.flatMap(value => ['-addext', value])
