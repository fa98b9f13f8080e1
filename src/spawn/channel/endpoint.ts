import { writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { randomHex } from '../../random.ts'
import { renameOver } from '../rename-over.ts'

/**
 * A named pipe of Windows, held by a living process for others to see that it lives, and to write lines to.
 * Its name is of chance, since anybody may ask for a name, and stands in the file at the path for those who
 * may read that. Keeps no program running.
 */
export class Endpoint {
  readonly #server: Server
  readonly #connections = new Set<Socket>()

  /**
   * It is there, and held, when the constructor returns: who sees the path without a holder takes us for
   * dead.
   */
  constructor(path: string, onLine: (line: string) => void = () => {}) {
    const name = `\\\\.\\pipe\\holdfast-${randomHex(16)}`
    this.#server = createServer(socket => this.#serve(socket, onLine))
    this.#server.on('error', () => {})
    // Never through the primary of a cluster, which would hold it in our place.
    this.#server.listen({ path: name, exclusive: true }).unref()
    writeFileSync(`${path}.tmp`, name, { mode: 0o600 })
    renameOver(`${path}.tmp`, path)
  }

  /** Whoever watches sees it as if the process had ended. Idempotent. */
  close(): void {
    this.#server.close()
    for (const socket of this.#connections) socket.destroy()
  }

  #serve(socket: Socket, onLine: (line: string) => void): void {
    socket.unref()
    this.#connections.add(socket)
    readLines(socket, onLine)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#connections.delete(socket))
  }
}

/** As in the native shim. */
const longestLine = 255

export function readLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = ''
  socket.on('data', chunk => {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = (lines.pop() ?? '').slice(-longestLine)
    for (const line of lines) onLine(line)
  })
}
