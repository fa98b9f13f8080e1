import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installPlugin } from '../../../src/nomad/install.ts'
import { patience, until } from '../support/until.ts'
import type { Host } from './network.ts'

/** HOLDFAST_MAIN names another build: test/vm/nomad has a bundle of it. */
const main =
  process.env.HOLDFAST_MAIN ?? fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url))
const run = promisify(execFile)

/** NOMAD_BIN, or what PATH has; null where there is none. */
export function nomadBinary(): string | null {
  if (process.env.NOMAD_BIN) return process.env.NOMAD_BIN
  const found = (process.env.PATH ?? '').split(delimiter).map(directory => join(directory, 'nomad'))
  return found.find(works) ?? null
}

function works(path: string): boolean {
  try {
    execFileSync(path, ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export type Role = {
  readonly server: boolean
  readonly client: boolean
  readonly join?: string
  /** Default: loopback, where agents differ by their ports. */
  readonly host?: Host
  /** Those of Nomad's own that it has beside this one; default none. */
  readonly drivers?: readonly string[]
  /** More of its configuration, in HCL. `@HTTP@` there is its address. */
  readonly more?: Readonly<Partial<Record<'agent' | 'server' | 'client' | 'options' | 'plugin', string>>>
}

/**
 * A server that soon misses a client that has died. Not one beside its own client, which may take longer than
 * that to be started again.
 */
const hasteToMiss = `
  heartbeat_grace        = "2s"
  min_heartbeat_ttl      = "2s"
  failover_heartbeat_ttl = "5s"`

type Ports = Readonly<Record<'http' | 'rpc' | 'serf', number>>

/**
 * A real agent, with a data directory of its own that outlives its process, and this driver's plugin.
 */
export class RealAgent {
  readonly directory: string
  readonly #binary: string
  readonly #ports: Ports
  readonly #host: Host | null
  /** What it is asked with from here, where it has ACLs. */
  token: string | null = null
  #process: ChildProcess | null = null

  private constructor(binary: string, directory: string, ports: Ports, host: Host | null) {
    this.#binary = binary
    this.directory = directory
    this.#ports = ports
    this.#host = host
  }

  static async make(binary: string, directory: string, role: Role): Promise<RealAgent> {
    const [http = 0, rpc = 0, serf = 0] = await freePorts(3)
    const ports = { http, rpc, serf }
    const agent = new RealAgent(binary, directory, ports, role.host ?? null)
    mkdirSync(join(directory, 'plugins'), { recursive: true })
    installPlugin(join(directory, 'plugins'), [process.execPath, main])
    writeFileSync(join(directory, 'agent.hcl'), agent.#configuration(role))
    return agent
  }

  /** Where other agents find it. */
  get rpc(): string {
    return `${this.#ip}:${this.#ports.rpc}`
  }

  get log(): string {
    return readFileSync(join(this.directory, 'agent.log'), 'utf8')
  }

  get pid(): number {
    return this.#process?.pid ?? -1
  }

  /** Resolves when it answers; a client, when it is ready. */
  async start(): Promise<void> {
    const log = openSync(join(this.directory, 'agent.log'), 'a')
    // Certificates of its surroundings confuse its cloud look-ups.
    const { AWS_CA_BUNDLE: _, ...env } = process.env
    const command = [this.#binary, 'agent', '-config', join(this.directory, 'agent.hcl')]
    // Not `ip netns exec`, which hides /sys/fs/cgroup with a /sys of its own.
    const host = this.#host && ['nsenter', `--net=/run/netns/${this.#host.namespace}`]
    const [file = '', ...args] = [...(host ?? []), ...command]
    const child = spawn(file, args, {
      stdio: ['ignore', log, log],
      detached: true,
      // Sockets of plugins that are killed go with the directory.
      env: { ...env, TMPDIR: this.directory },
    })
    this.#process = child
    await until(
      'the agent answers',
      async () => {
        if (child.exitCode !== null) throw new Error(`the agent ended: ${this.log.slice(-2000)}`)
        return (await this.get('/v1/status/leader').catch(() => '')) !== ''
      },
      120_000,
    )
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }

  /** Of Nomad's HTTP interface; text where it is no JSON. */
  async get(path: string): Promise<unknown> {
    return this.#request('GET', path)
  }

  async put(path: string, body: object = {}): Promise<unknown> {
    return this.#request('PUT', path, JSON.stringify(body))
  }

  /** The command line, for what has no plain HTTP: exit code and both outputs. */
  async cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = this.#environment
    try {
      return { code: 0, ...(await run(this.#binary, args, { env, timeout: 60_000 * patience })) }
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
      return { code, stdout, stderr }
    }
  }

  /** The same, for as long as it goes on. */
  following(...args: string[]): ChildProcess {
    return spawn(this.#binary, args, { env: this.#environment })
  }

  /** The same with a terminal; `typed` is what is typed into it. */
  async cliOnTerminal(command: string, typed: string): Promise<{ code: number; shown: string }> {
    const child = spawn('script', ['-qec', `${this.#binary} ${command}`, '/dev/null'], {
      env: { ...this.#environment, TERM: 'xterm' },
    })
    let shown = ''
    child.stdout.on('data', chunk => {
      const wasReady = shown.includes('ready')
      shown += String(chunk)
      if (!wasReady && shown.includes('ready')) child.stdin.write(typed)
    })
    const [code] = (await once(child, 'exit')) as [number]
    return { code, shown }
  }

  get #environment(): NodeJS.ProcessEnv {
    const { token } = this
    return { ...process.env, NOMAD_ADDR: this.#address, ...(token !== null && { NOMAD_TOKEN: token }) }
  }

  get #address(): string {
    return `http://${this.#ip}:${this.#ports.http}`
  }

  get #ip(): string {
    return this.#host?.address ?? '127.0.0.1'
  }

  async #request(method: string, path: string, body?: string): Promise<unknown> {
    const headers = this.token === null ? {} : { 'x-nomad-token': this.token }
    const response = await fetch(`${this.#address}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    try {
      return JSON.parse(text) as unknown
    } catch {
      return text
    }
  }

  #configuration({ server, client, join: joined, drivers = [], more = {} }: Role): string {
    const { http, rpc, serf } = this.#ports
    const stateDir = join(this.directory, 'state')
    return `
data_dir   = "${join(this.directory, 'data')}"
plugin_dir = "${join(this.directory, 'plugins')}"
bind_addr  = "${this.#ip}"
name       = "agent-${http}"
log_level  = "DEBUG"
disable_update_check = true
ports {
  http = ${http}
  rpc  = ${rpc}
  serf = ${serf}
}
advertise {
  http = "${this.#ip}"
  rpc  = "${this.#ip}"
  serf = "${this.#ip}"
}
server {
  enabled          = ${server}
  ${server ? 'bootstrap_expect = 1' : ''}
  ${client ? '' : hasteToMiss}
  ${more.server ?? ''}
}
client {
  enabled = ${client}
  ${joined === undefined ? '' : `servers = ["${joined}"]`}
  ${this.#host === null ? 'network_interface = "lo"' : ''}
  options = {
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean,consul,vault"
    "driver.allowlist"     = "${['holdfast', ...drivers].join()}"
    ${more.options ?? ''}
  }
  ${more.client ?? ''}
}
# Without it the client samples no task.
telemetry {
  publish_allocation_metrics = true
}
plugin "holdfast" {
  config {
    state_dir  = "${stateDir}"
    ${(more.plugin ?? '').replaceAll('@HTTP@', this.#address)}
  }
}
${more.agent ?? ''}
`
  }
}

/** Each another, and below those that the kernel gives to connections meanwhile. */
async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  while (servers.length < count) {
    const server = createServer().listen(10_000 + Math.floor(Math.random() * 20_000), '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (isFree) servers.push(server)
  }
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  for (const server of servers) {
    server.close()
    await once(server, 'close')
  }
  return ports
}
