import { realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { posix } from 'node:path'
import { readText } from '../../if-there.ts'

/** A directory that no task is to work in, and why. `below`: nor in any directory in it. */
export type Protected = {
  readonly path: string
  readonly why: string
  readonly below: boolean
}

const systems = "it is the system's, or holds what is"
const homes =
  'it is a home directory, or holds one: whoever writes there decides what its user runs next, and whoever reads there has its keys'
const kernels = "its files are the system's own"
const keys = 'it holds keys'

const shared = [
  ...['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/usr', '/opt'],
  ...['/run', '/var', '/var/lib', '/var/tmp', '/tmp', '/home', '/dev/shm'],
]

/** What is the same for all tasks of this process. */
export function protectedOfHost(): Protected[] {
  const own = `/run/user/${process.geteuid?.() ?? 0}`
  const all = [...new Set([homedir(), ...loginHomes()])]
  return [
    ...['/etc', '/boot', '/proc', '/sys'].map(path => ({ path, why: kernels, below: true })),
    ...[...shared, own].map(path => ({ path, why: systems, below: false })),
    ...all.flatMap(path => [
      { path, why: homes, below: false },
      ...['.ssh', '.gnupg'].map(name => ({ path: posix.join(path, name), why: keys, below: true })),
    ]),
  ]
}

/**
 * The first of them that the directory is, holds, or lies in. Compared by device and inode: a directory is
 * the same one under every name, and by every bind mount. `place` is its path without links.
 */
export function protectedBy(place: string, all: readonly Protected[]): Protected | null {
  const own = identityOf(place)
  const above = new Set(ancestorsOf(place).map(identityOf))
  return (
    all.find(({ path, below }) => {
      const real = realPath(path)
      if (real === null) return false
      return ancestorsOf(real).some(at => identityOf(at) === own) || (below && above.has(identityOf(real)))
    }) ?? null
  )
}

/** Of accounts that somebody can log in to. */
function loginHomes(): string[] {
  return readText('/etc/passwd')
    .split('\n')
    .flatMap(line => {
      const [, , , , , home = '', shell = ''] = line.split(':')
      return home.length > 1 && home.startsWith('/') && !/(^|\/)(nologin|false|sync|)$/.test(shell)
        ? [home]
        : []
    })
}

function realPath(path: string): string | null {
  try {
    return realpathSync.native(path)
  } catch {
    return null
  }
}

/** The path itself, and all directories it lies in. */
function ancestorsOf(path: string): string[] {
  return path === '/' ? ['/'] : [path, ...ancestorsOf(posix.dirname(path))]
}

function identityOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}
