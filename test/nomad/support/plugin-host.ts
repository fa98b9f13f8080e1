import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  makeGenericClientConstructor,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { compiled } from '../../support/compiled.ts'
import { temporaryDirectory } from '../../support/temporary.ts'
import { cookie } from '../../../src/nomad/plumbing/handshake.ts'
import type { Message } from '../../../src/nomad/wire/codec.ts'
import {
  baseService,
  controllerService,
  driverService,
  healthService,
} from '../../../src/nomad/wire/services.ts'

type Unary = (request: object, reply: (error: ServiceError | null, response: Message) => void) => void

/** A connection to a plugin, as an agent has one. Many may be open at once. */
export class PluginClient {
  readonly #clients: Readonly<Record<string, Client>>

  constructor(socket: string) {
    const connect = (service: ServiceDefinition, name: string) =>
      new (makeGenericClientConstructor(service, name))(`unix:${socket}`, credentials.createInsecure(), {
        'grpc.max_receive_message_length': -1,
      })
    this.#clients = {
      base: connect(baseService, 'BasePlugin'),
      driver: connect(driverService, 'Driver'),
      health: connect(healthService, 'Health'),
      controller: connect(controllerService, 'GRPCController'),
    }
  }

  call(
    service: 'base' | 'driver' | 'health' | 'controller',
    method: string,
    request: object = {},
  ): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.#method<Unary>(service, method)(request, (error, response) =>
        error === null ? resolve(response) : reject(error),
      )
    })
  }

  driver(method: string, request: object = {}): Promise<Message> {
    return this.call('driver', method, request)
  }

  stream(method: string, request: object = {}): ClientReadableStream<Message> {
    const open = this.#method<(request: object) => ClientReadableStream<Message>>('driver', method)
    // Cancelled by the test, or ended with the plugin.
    return open(request).on('error', () => {})
  }

  duplex(method: string): ClientDuplexStream<object, Message> {
    return this.#method<() => ClientDuplexStream<object, Message>>('driver', method)()
  }

  close(): void {
    for (const client of Object.values(this.#clients)) client.close()
  }

  #method<Call>(service: string, method: string): Call {
    const client = this.#clients[service]
    return (client as unknown as Record<string, { bind(to: unknown): Call }>)[method]?.bind(client) as Call
  }
}

/**
 * A plugin process, started as go-plugin starts one: the cookie in the environment, then a line on standard
 * output.
 */
export class PluginHost {
  readonly process: ChildProcess
  readonly handshake: string
  readonly client: PluginClient
  #log = ''

  private constructor(child: ChildProcess, handshake: string) {
    this.process = child
    this.handshake = handshake
    this.client = new PluginClient(this.socket)
    child.stderr?.on('data', chunk => (this.#log += String(chunk)))
  }

  static async launch(env: NodeJS.ProcessEnv = {}): Promise<PluginHost> {
    const child = startPlugin({ [cookie.name]: cookie.value, PLUGIN_PROTOCOL_VERSIONS: '2', ...env })
    let line = ''
    child.stdout.on('data', chunk => (line += String(chunk)))
    while (!line.includes('\n')) {
      if (child.exitCode !== null) throw new Error(`the plugin ended with ${child.exitCode}`)
      await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    }
    return new PluginHost(child, line)
  }

  get socket(): string {
    return this.handshake.split('|')[3] ?? ''
  }

  /** What it has written to standard error. */
  get log(): string {
    return this.#log
  }

  async configure(config: object): Promise<void> {
    const { encode } = await import('@msgpack/msgpack')
    const nomad_config = {
      driver: { Topology: { cores: [{ base_speed: 2000 }, { base_speed: 2000 }] } },
    }
    await this.client.call('base', 'SetConfig', { msgpack_config: Buffer.from(encode(config)), nomad_config })
    await this.client.driver('Init')
  }

  /** SIGKILL, as the kernel's OOM killer might. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.client.close()
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const exit = once(this.process, 'exit')
    this.process.kill(signal)
    await exit
  }
}

export function startPlugin(env: NodeJS.ProcessEnv) {
  const { NOMAD_PLUGIN_MAGIC_COOKIE: _, ...own } = process.env
  return spawn(process.execPath, [compiled('src/cli/main.ts'), 'nomad-driver'], {
    // Sockets of plugins that are killed stay behind.
    env: { ...own, TMPDIR: temporaryDirectory('plugin'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
