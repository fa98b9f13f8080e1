import { Server } from '@grpc/grpc-js'
import { base } from './base/base.ts'
import { driver } from './driver/driver.ts'
import { controller } from './plumbing/controller.ts'
import { handshakeLine, refusal } from './plumbing/handshake.ts'
import { hclogLine, logToAgent } from './plumbing/hclog.ts'
import { health } from './plumbing/health.ts'
import { broker, stdio } from './plumbing/idle-streams.ts'
import { listen, removeSocket, socketPath } from './plumbing/socket.ts'
import { PluginState } from './plugin-state.ts'
import {
  baseService,
  brokerService,
  controllerService,
  driverService,
  healthService,
  stdioService,
} from './wire/services.ts'

/**
 * Serves one Nomad agent, until that ends it. Resolves to why this process cannot, or null once it serves.
 * Tasks never depend on it: whenever it ends, by whatever cause, they go on.
 */
export async function serveNomad(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  const refused = refusal(env)
  if (refused !== null) return refused
  outliveTheTerminal()
  const state = new PluginState(logToAgent)
  const socket = socketPath(env)
  const server = new Server({
    // As large as the agent's own limits; a job with much environment is.
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  })
  const leave = leaveOnce(server, socket, state)
  server.addService(healthService, health)
  server.addService(controllerService, controller(leave))
  server.addService(brokerService, broker)
  server.addService(stdioService, stdio)
  server.addService(baseService, base(state))
  server.addService(driverService, driver(state))
  await listen(server, socket)
  process.once('SIGTERM', leave)
  process.stdout.write(handshakeLine(socket, env))
  return null
}

/**
 * An agent that is interrupted at its terminal takes its plugins along, if they let it; one that is killed
 * leaves us with broken pipes.
 */
function outliveTheTerminal(): void {
  process.on('SIGINT', () => {})
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      // The agent starts another plugin, which takes the tasks over. To go on after this would be a guess.
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      process.stderr.write(hclogLine('error', `holdfast ends by an error of its own: ${text}`), () =>
        process.exit(1),
      )
    })
  }
}

/** Longer, and the agent kills. */
const maxMs = 1000

/**
 * The server first: calls that wait for a task must not be answered, for any answer would be taken for the
 * task's end.
 */
function leaveOnce(server: Server, socket: string, state: PluginState): () => void {
  let left = false
  return () => {
    if (left) return
    left = true
    server.forceShutdown()
    removeSocket(socket)
    setTimeout(() => process.exit(0), maxMs)
    const exit = () => process.exit(0)
    state.supervisors.close().then(exit, exit)
  }
}
