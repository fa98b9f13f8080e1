import type { Socket } from 'node:net'
import type { KeepAlive } from '../keep-alive.ts'

/**
 * Calls `onGone` once when the other end of the socket is gone, whatever came before. Returns the way to hear
 * no more, which closes it.
 */
export function untilClosed(socket: Socket, keepAlive: KeepAlive, onGone: () => void): () => void {
  const forget = keepAlive.add(socket)
  socket.once('close', () => {
    forget()
    onGone()
  })
  socket.on('error', () => socket.destroy())
  socket.resume()
  return () => {
    forget()
    socket.removeAllListeners('close')
    socket.destroy()
  }
}
