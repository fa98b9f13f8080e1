import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/spawn/native-program.ts'
import type { Need } from '../requires.ts'
import { goProgram } from '../runtimes.ts'
import { nodeOfProxies } from './programs.ts'

type Ports = { readonly https: number; readonly http: number }

export type Client = {
  readonly name: string
  readonly needs: readonly Need[]
  /** Which of the host's servers it asks. */
  readonly of: keyof Ports
  /** A shell script, whose output has the packages' word in it when all has come through. */
  script(origin: string): string
  /** What it needs besides the proxy's variables; docs/recipes.md says the same. */
  readonly env?: Readonly<Record<string, string>>
}

/** In the task: the directory with the certificate of the authority. */
export const shown = '/tmp/shown'
const authority = `${shown}/ca.pem`

const python = { SSL_CERT_FILE: authority, REQUESTS_CA_BUNDLE: authority, PIP_CERT: authority }
const quietApt = [
  'Dir::State=/tmp/apt/state',
  'Dir::Cache=/tmp/apt/cache',
  'Dir::Etc=/tmp/apt/etc',
  'Dir::State::status=/dev/null',
]
const apt = quietApt.map(option => `-o ${option}`).join(' ')

/** Programs that people fetch with, each with the least that makes it do so. */
export const clients: readonly Client[] = [
  {
    name: 'curl over https',
    needs: ['curl'],
    of: 'https',
    script: origin => `curl -sSf ${origin}/hello`,
    env: { CURL_CA_BUNDLE: authority },
  },
  { name: 'curl over http', needs: ['curl'], of: 'http', script: origin => `curl -sSf ${origin}/hello` },
  {
    name: 'curl by SOCKS5',
    needs: ['curl'],
    of: 'https',
    script: origin => `curl -sSf -x "socks5h://\${ALL_PROXY#http://}" ${origin}/hello`,
    env: { CURL_CA_BUNDLE: authority },
  },
  {
    name: 'git clone',
    needs: ['git'],
    of: 'https',
    script: origin => `git clone -q ${origin}/git/work/.git /local/work && cat /local/work/hello`,
    env: { GIT_SSL_CAINFO: authority },
  },
  {
    name: 'npm install',
    needs: ['npm'],
    of: 'https',
    script: origin =>
      `cd /local && npm_config_registry=${origin}/npm/ npm install --no-audit --no-fund --no-update-notifier --fetch-retries=0 tiny && node -p "require('tiny')"`,
    env: { npm_config_cafile: authority },
  },
  {
    name: 'pip install',
    needs: ['pip'],
    of: 'https',
    script: origin =>
      // By its own path: what pyenv puts before it would write to its own directory after an installation.
      `"$(python3 -c 'import sys; print(sys.executable)')" -m pip install -q --retries 0 --no-cache-dir --index-url ${origin}/simple/ --target /local/lib tiny && PYTHONPATH=/local/lib python3 -c 'import tiny; print(tiny.word)'`,
    env: { ...python, PIP_DISABLE_PIP_VERSION_CHECK: '1' },
  },
  {
    name: 'cargo fetch',
    needs: ['cargo'],
    of: 'https',
    script: origin => `
      mkdir -p /local/crate/src && cd /local/crate && : >src/lib.rs
      printf '%s\\n' '[package]' 'name = "x"' 'version = "0.1.0"' 'edition = "2021"' '[dependencies]' 'tiny = { version = "1", registry = "here" }' >Cargo.toml
      CARGO_REGISTRIES_HERE_INDEX=sparse+${origin}/index/ cargo fetch -q && cat $CARGO_HOME/registry/src/*/tiny-1.0.0/src/lib.rs`,
    env: { CARGO_HOME: '/local/cargo', CARGO_HTTP_CAINFO: authority, CARGO_NET_RETRY: '0' },
  },
  {
    name: 'apt-get update',
    needs: ['apt'],
    of: 'http',
    script: origin => `
      mkdir -p /tmp/apt/state/lists/partial /tmp/apt/cache/archives/partial /tmp/apt/etc/apt.conf.d /tmp/apt/etc/preferences.d
      echo 'deb [trusted=yes] ${origin}/apt ./' >/tmp/apt/etc/sources.list
      apt-get -q ${apt} -o APT::Update::Error-Mode=any -o Acquire::Retries=0 update && apt-cache ${apt} show tiny`,
  },
  {
    name: "Python's urllib",
    needs: ['python3'],
    of: 'https',
    script: origin =>
      `python3 -c 'import urllib.request as r; print(r.urlopen("${origin}/hello").read().decode())'`,
    env: python,
  },
  {
    name: "Python's requests",
    needs: ['python-requests'],
    of: 'https',
    script: origin => `python3 -c 'import requests; print(requests.get("${origin}/hello").text)'`,
    env: python,
  },
  {
    name: "Node's fetch",
    needs: ['node-of-proxies'],
    of: 'https',
    script: origin => `/tmp/node -e 'fetch("${origin}/hello").then(r => r.text()).then(console.log)'`,
    env: { NODE_USE_ENV_PROXY: '1', NODE_EXTRA_CA_CERTS: authority },
  },
  {
    name: "Go's net/http",
    needs: ['go'],
    of: 'https',
    // It takes no proxy for `localhost`, spelt so, whatever the environment says.
    script: origin => `/tmp/fetch ${origin.replace('localhost', 'LOCALHOST')}/hello`,
    env: { SSL_CERT_FILE: authority },
  },
]

/** What the task is shown besides its toolchains; `directory`: where something may be made for it. */
export function mountsOf(
  { needs }: Client,
  directory: string,
): { source: string; target: string; readOnly: true }[] {
  if (needs.includes('node-of-proxies'))
    return [{ source: nodeOfProxies() ?? '', target: '/tmp/node', readOnly: true }]
  if (needs.includes('go')) return [{ source: compiledGo(directory), target: '/tmp/fetch', readOnly: true }]
  return []
}

function compiledGo(directory: string): string {
  const program = join(directory, 'fetch')
  if (existsSync(program)) return program
  const env = { ...process.env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0' }
  execFileSync(
    goProgram() ?? '',
    ['build', '-o', program, join(packageRoot, 'test/fixtures/runtimes/fetch.go')],
    { env },
  )
  return program
}
