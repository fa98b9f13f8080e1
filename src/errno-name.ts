import { constants } from 'node:os'

/**
 * `ENOENT` for 2. From node:os rather than node:util: libuv's own table lacks what only exec and mount say,
 * such as ENOEXEC.
 */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`
}

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))
