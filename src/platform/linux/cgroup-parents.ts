import { accessSync, constants, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDirectory } from '../../alloc/make-directories.ts'
import { readText } from '../../if-there.ts'
import { descendants, processExists } from '../../spawn/process-table.ts'
import type { Scope } from '../../spawn/scope.ts'
import { type CgroupHost, readWords } from './cgroup-mode.ts'

/** The directory under which the tasks' own cgroups are made, or why there is none. */
export type Parent =
  | { readonly dir: string; readonly controllers: ReadonlySet<string> }
  /** `denied`: for want of a right, which is the caller's to mend and not the kernel's. */
  | { readonly reason: string; readonly denied?: boolean }

type Write = (path: string, value: string) => void

/** `write` writes a kernel file; tests put a kernel's refusals there. */
export type ParentOptions = { readonly proc?: string; readonly write?: Write }

export const parentName = 'holdfast'

/**
 * Makes `<mount>/holdfast`, once per process and hierarchy, and again when someone has removed it.
 * Nothing else on the host is changed, except that on cgroup v2 controllers are switched on for it.
 */
export class CgroupParents {
  readonly #host: CgroupHost
  readonly #proc: string
  readonly #write: Write
  readonly #parents = new Map<string, Parent>()
  readonly #files = new Map<string, boolean>()

  constructor(host: CgroupHost, { proc = '/proc', write = writeFileSync }: ParentOptions = {}) {
    this.#host = host
    this.#proc = proc
    this.#write = write
  }

  v1(mount: string): Parent {
    return this.#cached(mount, () => {
      const controllers = new Set([...this.#host.v1].filter(([, at]) => at === mount).map(([name]) => name))
      const dir = join(madeOrThrow(mount), parentName)
      if (controllers.has('cpuset')) for (const file of ['cpuset.cpus', 'cpuset.mems']) inherit(dir, file)
      return { dir, controllers }
    })
  }

  /**
   * In the spawner's scope where it has one: what systemd has delegated is the only place in its tree that it
   * leaves alone.
   */
  v2(scope: Scope | null = null): Parent {
    const { v2 } = this.#host
    if (!v2) return { reason: 'cgroup2 is not mounted' }
    const own = scope !== null && 'path' in scope ? scope.path : null
    return this.#cached(own === null ? v2.mount : join(v2.mount, own), () => {
      const bases = own === null ? ['/', ownV2Path(this.#proc)] : [own]
      const [first = v2.mount, ...others] = bases.map(path => join(v2.mount, path))
      const base = [first, ...others].find(candidate => madeParent(candidate)) ?? madeOrThrow(first)
      return { dir: join(base, parentName), controllers: this.#delegate(base, v2.controllers) }
    })
  }

  /**
   * Whether the kernel offers this file to the tasks' cgroups; asked of the parent, because root cgroups lack
   * most of them.
   */
  offers(dir: string, file: string): boolean {
    const path = join(dir, file)
    const known = this.#files.get(path)
    if (known !== undefined) return known
    const found = existsSync(path)
    this.#files.set(path, found)
    return found
  }

  /**
   * Enables what can be enabled, one controller at a time: a write of several fails as a whole when one of
   * them does. A cgroup other than the root that has processes of its own cannot pass controllers on ("no
   * internal processes", cgroup-v2.rst), so ours move to a leaf beside `holdfast` first. First, because cpu
   * and pids would be taken: they would make it the root of a threaded subtree, in which nothing can be
   * joined.
   */
  #delegate(base: string, controllers: ReadonlySet<string>): ReadonlySet<string> {
    if (isInner(base)) this.#moveOwnProcesses(base)
    if (!isInner(base) || readWords(join(base, 'cgroup.procs')).length === 0)
      for (const name of controllers) this.#enable(base, name)
    const parent = join(base, parentName)
    const passedOn = readWords(join(parent, 'cgroup.controllers'))
    return new Set(passedOn.filter(name => this.#enable(parent, name) === null))
  }

  /** Null when the controller is on; else the errno's name. */
  #enable(dir: string, name: string): string | null {
    const control = join(dir, 'cgroup.subtree_control')
    if (readWords(control).includes(name)) return null
    try {
      this.#write(control, `+${name}`)
      return null
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'EIO'
    }
  }

  /** Ours are this process and its descendants (the spawner); anybody else's stay where they are. */
  #moveOwnProcesses(base: string): void {
    const members = new Set(readWords(join(base, 'cgroup.procs')).map(Number))
    const ours = [process.pid, ...descendants([process.pid], this.#proc)].filter(pid => members.has(pid))
    if (ours.length === 0) return
    const leaf = join(base, `${parentName}-supervisor`)
    mkdirSync(leaf, { recursive: true, mode: 0o755 })
    for (const pid of ours) {
      try {
        this.#write(join(leaf, 'cgroup.procs'), String(pid))
      } catch (error) {
        if (processExists(pid, this.#proc)) throw error
      }
    }
  }

  #cached(mount: string, make: () => Parent): Parent {
    const known = this.#parents.get(mount)
    if (known && 'dir' in known && isDirectory(known.dir)) return known
    if (known) this.#files.clear()
    const parent = attempt(make)
    this.#parents.set(mount, parent)
    return parent
  }
}

/** Where tasks' cgroups of this host can be, of those that exist. Makes nothing. */
export function existingParents(host: CgroupHost, proc = '/proc'): string[] {
  const v2 = host.v2
    ? [host.v2.mount, join(host.v2.mount, ownV2Path(proc)), ...scopesBelow(host.v2.mount)]
    : []
  const parents = [...host.v1.values(), ...v2].map(base => join(base, parentName))
  return [...new Set(parents)].filter(isDirectory)
}

/** Not the root of all: that one has no type, and may have processes of its own. */
function isInner(dir: string): boolean {
  return existsSync(join(dir, 'cgroup.type'))
}

/**
 * The scopes of all spawners, also of supervisors that are gone, in whatever slice or user's manager: some
 * levels down, and never below a scope.
 */
function scopesBelow(dir: string, levels = 8): string[] {
  if (levels === 0) return []
  return directoriesIn(dir).flatMap(name => {
    const path = join(dir, name)
    if (/^holdfast-.*\.scope$/.test(name)) return [path]
    return /\.slice$|^user@\d+\.service$/.test(name) ? scopesBelow(path, levels - 1) : []
  })
}

/** Their names; none where there is no such directory. */
export function directoriesIn(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(({ name }) => name)
  } catch {
    // Gone meanwhile.
    return []
  }
}

function attempt(make: () => Parent): Parent {
  try {
    return make()
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    const denied = code === 'EACCES' || code === 'EPERM'
    const what = denied ? 'belongs to root, or its parent does' : 'cannot be made'
    return { reason: `${path ?? parentName} ${what} (${code ?? String(error)})`, denied }
  }
}

/**
 * A new v1 cpuset has no processors and no memory nodes, and nobody can join it until it has both
 * (cgroup-v1/cpusets.rst).
 */
function inherit(dir: string, file: string): void {
  const own = join(dir, file)
  if (readText(own).trim() !== '') return
  const value = readText(join(dirname(dir), file)).trim()
  if (value !== '') writeFileSync(own, value)
}

function madeParent(base: string): boolean {
  try {
    madeOrThrow(base)
    return true
  } catch {
    return false
  }
}

/** What root has made is there for an ordinary user too, and of no use. */
function madeOrThrow(base: string): string {
  const dir = join(base, parentName)
  mkdirSync(dir, { recursive: true, mode: 0o755 })
  accessSync(dir, constants.W_OK)
  return base
}

function ownV2Path(proc: string): string {
  const line = readText(join(proc, 'self/cgroup'))
    .split('\n')
    .find(entry => entry.startsWith('0::'))
  return line?.slice(3) ?? '/'
}
