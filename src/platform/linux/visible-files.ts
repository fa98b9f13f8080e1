import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { posix } from 'node:path'
import { onceIn } from '../../once-in.ts'
import type { MountOp } from '../../spawn/spec.ts'

/**
 * Where a path of the task leads when its links are followed there, as far as the host's own files decide
 * that.
 */
type Place = {
  /** The first place on the way that the task is not shown, or the file itself. */
  readonly at: string
  readonly shown: boolean
}

const maxLinks = 16

/**
 * Null: it leads nowhere on the host either. `shown`: the directories that the task sees as the host has
 * them. Component by component: a directory on the way may be a link too (/etc/resolvconf/run).
 */
function placeOf(path: string, shown: readonly string[]): Place | null {
  let at = '/'
  let names = path.split('/').filter(Boolean)
  for (let links = 0; links <= maxLinks;) {
    const [name, ...rest] = names
    if (name === undefined) return { at, shown: true }
    const next = posix.join(at, name)
    const whole = posix.join(next, ...rest)
    if (!shown.some(directory => whole.startsWith(`${directory}/`)))
      return exists(whole) ? { at: whole, shown: false } : null
    const stats = lstatSync(next, { throwIfNoEntry: false })
    if (stats === undefined) return null
    names = rest
    if (!stats.isSymbolicLink()) {
      at = next
      continue
    }
    links++
    const target = readlinkSync(next)
    if (target.startsWith('/')) at = '/'
    names = [...target.split('/').filter(Boolean), ...rest]
  }
  return null
}

/**
 * Milliseconds. Two dozen looks for each start otherwise, at links that administrators and network managers
 * exchange.
 */
const placesMs = 1000

const places = onceIn(placesMs, (of): Place | null => {
  const [path = '', ...directories] = of.split('\0')
  return directories.includes('/etc') ? placeOf(path, directories) : null
})

/**
 * A place that is not shown is mounted, which fails where nothing is there any more: that one is looked at.
 */
function placeNow(path: string, { directories, key }: Shown): Place | null {
  const place = places(path + key)
  return place === null || place.shown || exists(place.at) ? place : placeOf(path, directories)
}

/** The directories that the task sees as the host has them; `key`: what names them behind a path. */
type Shown = { readonly directories: readonly string[]; readonly key: string }

/** The usual ones are the same list for all tasks. */
const shownOf = new WeakMap<readonly MountOp[], Shown>()

function shownIn(system: readonly MountOp[]): Shown {
  const known = shownOf.get(system)
  if (known !== undefined) return known
  const directories = system.flatMap(({ op, at }) => (op === 'bind' ? [at] : []))
  const shown = { directories, key: directories.map(at => `\0${at}`).join('') }
  shownOf.set(system, shown)
  return shown
}

function exists(path: string): boolean {
  try {
    realpathSync(path)
    return true
  } catch {
    return false
  }
}

/**
 * What programs look for in /etc that distributions keep elsewhere: name servers (systemd-resolved,
 * resolvconf, NetworkManager) and certificates.
 */
const oftenElsewhere = [
  '/etc/resolv.conf',
  '/etc/ssl/certs',
  '/etc/ssl/cert.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/localtime',
]

/**
 * Of those, what a task would find a dangling link for: the file or directory is shown where the link leads
 * to, as it is when the task starts. `base` makes the places, in the part of the root that tasks share; `own`
 * mounts there.
 */
export function filesElsewhere(system: readonly MountOp[]): { base: MountOp[]; own: MountOp[] } {
  const shown = shownIn(system)
  const places = oftenElsewhere.flatMap(path => {
    const place = placeNow(path, shown)
    return place === null || place.shown ? [] : [place.at]
  })
  // Whatever else lies there is the host's own: no place of ours comes into it.
  const usable = [...new Set(places)].filter(at => !/^\/(dev|proc|sys|tmp|alloc|local)(\/|$)/.test(at))
  const bind = (source: string, at: string): MountOp => ({
    ...{ op: 'bind', source, base: null, at, readOnly: true, devices: false },
  })
  return {
    base: usable.map(at => (isDirectory(at) ? { op: 'dir', at, mode: 0o755 } : bind('/dev/null', at))),
    own: usable.map(at => bind(realpathSync(at), at)),
  }
}

function isDirectory(path: string): boolean {
  return lstatSync(realpathSync(path)).isDirectory()
}

/**
 * The file of host names as the task sees it: the host's, and the task's own name, which leads to itself.
 * Null: the host has none.
 */
export function hostsFile(system: readonly MountOp[], hostname: string | null): MountOp | null {
  const place = hostname === null ? null : placeNow('/etc/hosts', shownIn(system))
  if (!place?.shown) return null
  return { op: 'file', at: place.at, source: place.at, text: `\n127.0.1.1\t${hostname}\n` }
}

/** Files of root's that programs refuse of anybody but root and their own user: ssh_config(5), Include. */
const checkedForOwner = ['/etc/ssh/ssh_config', '/etc/ssh/ssh_config.d']

/**
 * Where root has no number, its files belong to nobody: those whose owner is asked for are shown as copies,
 * which belong to the task's user. As they are when the task starts.
 */
export function ownedCopies(system: readonly MountOp[]): MountOp[] {
  if (!system.some(({ op, at }) => op === 'bind' && at === '/etc')) return []
  return checkedForOwner.flatMap(filesAt).map(at => ({ op: 'file', at, source: at, text: '' }))
}

/** Regular files, by path; a link leads to what is judged by its own owner. */
function filesAt(path: string): string[] {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isFile()) return (stats.mode & 0o004) !== 0 ? [path] : []
  return stats?.isDirectory() ? readdirSync(path).flatMap(name => filesAt(`${path}/${name}`)) : []
}
