import { randomBytes } from 'node:crypto'
import { unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Server, ServerCredentials } from '@grpc/grpc-js'

/** Of sockaddr_un, its final NUL left out. */
const longestPath = 107

/**
 * Where the agent may find us; a name nobody can foresee. Throws when the directory's own path is too long
 * for a socket.
 */
export function socketPath(env: NodeJS.ProcessEnv): string {
  const path = join(env.PLUGIN_UNIX_SOCKET_DIR || tmpdir(), `holdfast-${randomBytes(8).toString('hex')}.sock`)
  if (Buffer.byteLength(path) > longestPath)
    throw new Error(`${path} is too long for a socket: set TMPDIR to a shorter path for the agent`)
  return path
}

/**
 * Resolves when connections are accepted. The socket is for our own user alone from its first moment: whoever
 * may connect is root's equal.
 */
export async function listen(server: Server, path: string): Promise<void> {
  const umask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), error =>
        error === null ? resolve() : reject(error),
      )
    })
  } finally {
    process.umask(umask)
  }
}

export function removeSocket(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Closing the server has removed it, or somebody has tidied up.
  }
}
