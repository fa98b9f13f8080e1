import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { Command } from '../../api.ts'
import type { MountOp } from '../../spawn/spec.ts'
import type { TaskPaths } from '../port.ts'
import type { Row } from '../rows.ts'
import { baseOf } from '../streams.ts'
import { isSystemName } from './host-directories.ts'
import { bind, inside } from './mount-ops.ts'
import { liveDirectory, noText, reserved } from './root-entries.ts'
import { type TaskFile, taskFiles } from './task-files.ts'

/** Directories that the task directory has and something else has, too. */
export type Merged = {
  /** The system's part of the root, and what is put together with it. */
  readonly system: readonly MountOp[]
  /** What of the task directory is in it. */
  readonly names: ReadonlySet<string>
  readonly rows: readonly Row[]
  /** Whether a file at this place is the task's, where the host may have another. */
  readonly isTasks: (at: string) => boolean
}

/**
 * The directories of the task directory that the system has too (`etc`, `usr`), or in which something is to
 * be mounted, put together entry by entry: what the task directory has, then what the host has besides. Where
 * both have a directory, that is put together in its turn; one that the task alone has is shown whole, and so
 * as it changes. A file is a link into such a one: who writes it anew puts another in its place, where a bind
 * would go on with the old. A program is a bind: many look for what they need beside themselves. `places`:
 * where else something comes to lie.
 */
export function mergedDirectories(
  system: readonly MountOp[],
  alloc: TaskPaths,
  command: Readonly<Command>,
  places: readonly MountOp[],
): Merged {
  const merge = new Merge(system, alloc, targetsOf(command, places))
  for (const file of taskFiles(alloc.task)) merge.top(file)
  return merge.result()
}

export function unmerged(system: readonly MountOp[]): Merged {
  return { system, names: new Set(), rows: [], isTasks: () => false }
}

/** Where something is mounted, and what. */
type Targets = ReadonlyMap<string, 'file' | 'directory'>

class Merge {
  readonly #system: readonly MountOp[]
  readonly #alloc: TaskPaths
  readonly #targets: Targets
  readonly #names = new Set<string>()
  readonly #ops: MountOp[] = []
  readonly #rows: Row[] = []
  readonly #tasks = new Set<string>()
  readonly #live = new Set<string>()

  constructor(system: readonly MountOp[], alloc: TaskPaths, targets: Targets) {
    this.#system = system
    this.#alloc = alloc
    this.#targets = targets
  }

  /** At the top of the task directory; what is not merged is left to others. */
  top({ name, kind }: TaskFile): void {
    const text = name.toString()
    const at = `/${text}`
    const isSystems = isSystemName(text)
    if (kind !== 'directory' || this.#targets.has(at)) return
    if (isSystems ? !this.#canMerge(at) : reserved.has(text) || !this.#holdsTargets(at)) return
    this.#names.add(text)
    this.#directory(at, join(this.#alloc.task, text), isSystems ? this.#hostAt(at) : null)
  }

  result(): Merged {
    const { task } = this.#alloc
    const live = [...this.#live].map(name => this.#bound(join(task, name), `${liveDirectory}/${name}`))
    const rest = this.#system.filter(({ at }) => !this.#names.has(at.slice(1)))
    return {
      system: this.#names.size === 0 ? this.#system : [...rest, ...this.#ops, ...live],
      names: this.#names,
      rows: this.#rows,
      isTasks: at => [...this.#tasks].some(own => at === own || at.startsWith(`${own}/`)),
    }
  }

  #directory(at: string, path: string, host: string | null): void {
    this.#ops.push({ op: 'dir', at, mode: 0o755 })
    for (const file of taskFiles(path)) this.#file(file, at, path, host)
    if (host === null) return
    for (const [target, kind] of this.#targets)
      if (dirname(target) === at && isLink(join(host, posix.basename(target))))
        // Nothing can be mounted over a link.
        this.#ops.push(
          kind === 'directory' ? { op: 'dir', at: target, mode: 0o755 } : bind('/dev/null', target, true),
        )
    this.#ops.push({ op: 'entries', source: host, at })
  }

  #file({ name, kind, to }: TaskFile, above: string, directory: string, host: string | null): void {
    const at = `${above}/${name.toString()}`
    const source = join(directory, name.toString())
    if (kind === 'nameless') this.#rows.push(noText(source))
    if (kind === 'nameless' || this.#targets.has(at)) return
    const below = kind === 'directory' && host !== null ? this.#beneath(host, name.toString()) : null
    if (below !== null || (kind === 'directory' && this.#holdsTargets(at))) {
      this.#directory(at, source, below)
      return
    }
    this.#tasks.add(at)
    if (kind === 'link') this.#ops.push({ op: 'symlink', to, at })
    else if (kind === 'directory' || kind === 'program') this.#ops.push(this.#bound(source, at))
    else {
      const [, top = ''] = at.split('/')
      this.#live.add(top)
      this.#ops.push({ op: 'symlink', to: `${liveDirectory}${at}`, at })
    }
  }

  #holdsTargets(at: string): boolean {
    return [...this.#targets.keys()].some(target => target.startsWith(`${at}/`))
  }

  /** Whatever is there is a task's to arrange: no link of it is followed. */
  #bound(source: string, at: string): MountOp {
    return bind(source, at, true, baseOf(source, this.#alloc))
  }

  /** What the system has there can be shown entry by entry, or it has nothing. */
  #canMerge(at: string): boolean {
    return this.#hostAt(at) !== null || !this.#system.some(op => op.at === at)
  }

  #hostAt(at: string): string | null {
    const op = this.#system.find(one => one.at === at)
    if (op?.op === 'bind') return this.#shown(op.source)
    return op?.op === 'symlink' ? this.#shown(this.#hostPath(posix.resolve('/', op.to))) : null
  }

  /** Of a place in the system's part. */
  #hostPath(at: string): string | null {
    const op = this.#system.find(one => at === one.at || at.startsWith(`${one.at}/`))
    return op?.op === 'bind' ? join(op.source, at.slice(op.at.length)) : null
  }

  #beneath(host: string, name: string): string | null {
    const path = join(host, name)
    if (isLink(path)) return this.#shown(path)
    const stats = lstatSync(path, { throwIfNoEntry: false })
    return stats && isOpenToAll(stats) ? path : null
  }

  /** A directory of those that the task sees anyhow, behind links; null: it is none. */
  #shown(path: string | null): string | null {
    const real = path === null ? null : realPath(path)
    if (real === null) return null
    const sources = this.#system.flatMap(op => (op.op === 'bind' ? [realPath(op.source)] : []))
    const source = sources.find(one => one !== null && (real === one || real.startsWith(`${one}/`)))
    if (source === undefined || source === null) return null
    for (let at = real; ; at = dirname(at)) {
      if (!isOpenToAll(statSync(at))) return null
      if (at === source) return real
    }
  }
}

/**
 * Shown entry by entry, a directory keeps nobody out any more. One that does not let everybody in is not
 * shown where the task has another.
 */
function isOpenToAll(stats: Stats): boolean {
  const forGroupAndOthers = 0o055
  return stats.isDirectory() && (stats.mode & forGroupAndOthers) === forGroupAndOthers
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

function targetsOf({ mounts = [], tmpfs = [] }: Readonly<Command>, places: readonly MountOp[]): Targets {
  return new Map([
    ...places.map(({ at }) => [at, 'directory'] as const),
    ...tmpfs.map(({ target }) => [inside(target), 'directory'] as const),
    ...mounts.map(({ target, source }) => [inside(target), kindOf(source)] as const),
  ])
}

function kindOf(source: string): 'file' | 'directory' {
  return statSync(source, { throwIfNoEntry: false })?.isDirectory() ? 'directory' : 'file'
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
