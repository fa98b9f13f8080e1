import { closeSync, openSync, readSync } from 'node:fs'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

export type ConnectionLimits = {
  /** Connections that have not shown the token, of all users together. Default 64: a browser has some six. */
  readonly maxUnproven?: number
  /** Milliseconds that a connection has for showing the token. Default 15000. */
  readonly unprovenMs?: number
}

/**
 * Every program of this host can connect, and none of those that cannot show the token may keep the others
 * from being answered. A connection that has not shown it ends after a time, whatever it does; and where
 * there are too many of them, the user who has the most loses the older half of his. So room is lost by
 * whoever takes it.
 */
export class Connections {
  readonly #unproven = new Map<Socket, { readonly timer: NodeJS.Timeout; user: number | null }>()
  readonly #max: number
  readonly #ms: number

  constructor(server: Server, { maxUnproven = 64, unprovenMs = 15_000 }: ConnectionLimits) {
    this.#max = maxUnproven
    this.#ms = unprovenMs
    server.on('connection', (socket: Socket) => this.#admit(socket))
  }

  /** The token came by this connection. */
  prove(socket: Socket): void {
    clearTimeout(this.#unproven.get(socket)?.timer)
    this.#unproven.delete(socket)
  }

  #admit(socket: Socket): void {
    const timer = setTimeout(() => socket.destroy(), this.#ms)
    timer.unref()
    this.#unproven.set(socket, { timer, user: null })
    socket.once('close', () => this.prove(socket))
    if (this.#unproven.size > this.#max) this.#makeRoom()
  }

  #makeRoom(): void {
    const users = new UsersOfPorts()
    const byUser = new Map<number, Socket[]>()
    // In the order in which they came.
    for (const [socket, known] of this.#unproven) {
      known.user ??= users.of(socket)
      byUser.set(known.user, [...(byUser.get(known.user) ?? []), socket])
    }
    const [largest = []] = [...byUser.values()].sort((one, other) => other.length - one.length)
    for (const socket of largest.slice(0, Math.ceil(largest.length / 2))) {
      this.prove(socket)
      socket.destroy()
    }
  }
}

/** More than some ten thousand sockets are not looked through: those beyond are nobody's in particular. */
const maxBytes = 2 * 1024 * 1024
const nobodyInParticular = -1

/**
 * Who is at the other end of loopback, as the kernel's table of sockets says (Linux: /proc/net/tcp, tcp6).
 */
class UsersOfPorts {
  #users: Map<string, number> | null = null

  of({ remoteAddress = '', remotePort = 0 }: Socket): number {
    this.#users ??= new Map([...usersIn('/proc/net/tcp'), ...usersIn('/proc/net/tcp6')])
    const port = remotePort.toString(16).toUpperCase().padStart(4, '0')
    return this.#users.get(`${endOfAddress(remoteAddress)}:${port}`) ?? nobodyInParticular
  }
}

/** The last 32 bits of a loopback address as the kernel prints them: in the byte order of this machine. */
function endOfAddress(address: string): string {
  const bytes = address === '::1' ? [0, 0, 0, 1] : address.replace('::ffff:', '').split('.').map(Number)
  const hex = bytes.reverse().map(byte => byte.toString(16).toUpperCase().padStart(2, '0'))
  return hex.join('')
}

/** Of each socket that is connected: the end of its address with its port, and its user. */
function usersIn(path: string): [string, number][] {
  const row = /^ *\d+: [0-9A-F]*([0-9A-F]{8}:[0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 01 \S+ \S+ \S+ +(\d+) /gm
  return [...beginningOf(path).matchAll(row)].map(([, name = '', user = '']) => [name, Number(user)])
}

/** Nothing on other systems. */
function beginningOf(path: string): string {
  const bytes = Buffer.alloc(maxBytes)
  let length = 0
  try {
    const file = openSync(path, 'r')
    try {
      for (let count = 1; count > 0; length += count)
        count = readSync(file, bytes, length, maxBytes - length, null)
    } finally {
      closeSync(file)
    }
  } catch {
    return ''
  }
  return bytes.toString('latin1', 0, length)
}
