import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { HoldfastError } from '../errors.ts'

/** Three pairs for the standard streams, two for libuv's own report of exec, and some to spare. */
const neededForSpawn = 12

/**
 * Throws START_FAILED where a spawn would run out of file descriptors. To be asked before every spawn: Node
 * then makes a child without streams (child_process.js, "there is no point in continuing"), execa stumbles
 * over that, and the child's `error` event has no listener.
 */
export function assertSpareDescriptors(): void {
  const held: number[] = []
  try {
    while (held.length < neededForSpawn) held.push(openSync(devNull, 'r'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // No /dev/null, or not for us (Node's permission model): that says nothing of descriptors.
    if (code !== 'EMFILE' && code !== 'ENFILE') return
    throw new HoldfastError(
      'START_FAILED',
      `no process can be started: too few file descriptors are left (${code})`,
      {
        stage: 'spawner',
        errno: code,
        cause: error,
        hint: 'Raise the limit on open files (ulimit -n, LimitNOFILE) of the program that starts tasks, or close some.',
      },
    )
  } finally {
    for (const fd of held) closeSync(fd)
  }
}
