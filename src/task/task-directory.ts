import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  lstatSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { lazily } from '../lazily.ts'
import { randomHex } from '../random.ts'
import { AllocDir } from '../alloc/alloc-dir.ts'
import { isDirectory, makeDirectories } from '../alloc/make-directories.ts'
import { makePrivateAllocation, removePrivateAllocation } from '../alloc/private.ts'
import { HoldfastError } from '../errors.ts'
import type { TaskPaths } from '../platform/port.ts'
import { renameOver } from '../spawn/rename-over.ts'
import { readBounded } from './bounded-file.ts'
import { storageError } from './storage-error.ts'
import { isOtherFileSystem, projectOf } from './disk/place.ts'
import { failpoint } from './failpoint.ts'
import { isTaskKey } from './task-id.ts'
import { assertTrustedDirectory, assertTrustedPath } from './trusted-tree.ts'

/** The layout of a state directory, and the file operations on it. What the files mean is known elsewhere. */
export class StateDirectory {
  readonly path: string
  readonly #tasks: string
  #made = false
  #trusted = false

  constructor(path: string) {
    this.path = path
    this.#tasks = join(path, 'tasks') + sep
  }

  /**
   * Throws PERMISSION unless the directory, those of all tasks and that of this one are root's or ours, and
   * nobody else may write in them. Looked at once, but for the task's: who could change it afterwards is
   * trusted.
   */
  assertTrusted(key?: string): void {
    if (!this.#trusted) {
      assertTrustedPath(this.path)
      for (const name of ['tasks', 'allocs', 'supervisors', 'nomad'])
        assertTrustedDirectory(join(this.path, name))
      // What is not there yet somebody else may make, where everybody may (/tmp).
      this.#trusted = existsSync(join(this.path, 'tasks'))
    }
    if (key !== undefined) assertTrustedDirectory(this.taskDirectory(key))
  }

  /** The record directory of a task: 0700, readable by nobody but the supervisor's user. */
  taskDirectory(key: string): string {
    return this.#tasks + key
  }

  /**
   * The allocation of a task that was given none. Outside `tasks/`: a Basic task of another user must be able
   * to reach it.
   */
  allocDirectory(key: string): string {
    return join(this.path, 'allocs', key)
  }

  /** Where supervisors keep the FIFOs by which their tasks learn of their end. */
  get lifelinesPath(): string {
    return join(this.path, 'supervisors')
  }

  /** The same, made. Throws as {@link prepare} does. */
  lifelinesDirectory(): string {
    this.prepare()
    try {
      makeDirectories(this.lifelinesPath, 0o700)
    } catch (error) {
      throw storageError(error, `${this.lifelinesPath} cannot be made`, this.lifelinesPath)
    }
    return this.lifelinesPath
  }

  /** Makes the directories. Throws PERMISSION or INVALID_ARGUMENT with a hint. */
  prepare(): void {
    if (this.#made) return
    try {
      this.assertTrusted()
      // 0711: passing through is allowed (to an allocation, whose key must be known), looking around is not.
      for (const name of ['', 'allocs']) makeDirectories(join(this.path, name), 0o711)
      makeDirectories(join(this.path, 'tasks'), 0o700)
    } catch (error) {
      if (error instanceof HoldfastError) throw error
      throw storageError(error, `the state directory ${this.path} cannot be made`, this.path)
    }
    this.#made = true
    // Once more: somebody may have been quicker.
    this.assertTrusted()
  }

  /** Makes the task's directory with its first task.json, before anything is started. */
  create(key: string, text: string): string {
    this.prepare()
    const dir = this.taskDirectory(key)
    try {
      try {
        mkdirSync(dir, { mode: 0o700 })
      } catch (error) {
        // Somebody removed the tree while we lived.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        this.#made = false
        this.prepare()
        mkdirSync(dir, { mode: 0o700 })
      }
      failpoint('directory-made')
      this.write(key, text)
    } catch (error) {
      // Half a directory would be found by the next supervisor as a corrupt task.
      rmSync(dir, { recursive: true, force: true })
      throw storageError(error, `the task cannot be recorded in ${dir}`, dir)
    }
    return dir
  }

  /** Replaces task.json. Readers see the old one or the new one. */
  write(key: string, text: string): void {
    const path = this.taskDirectory(key) + stateFile
    const temporary = temporaryName(path)
    writeFileSync(temporary, text, { mode: 0o600 })
    failpoint('state-half-written')
    renameOver(temporary, path)
  }

  /** Tells one task.json from the next: each is a new file. Null: there is none. */
  stamp(key: string): string | null {
    const path = this.taskDirectory(key) + stateFile
    // Not through a link: read() does not follow it either.
    const stat = lstatSync(path, { throwIfNoEntry: false })
    return stat === undefined ? null : `${stat.ino}:${stat.mtimeMs}`
  }

  /** Throws NOT_FOUND when there is no such task. Null: the directory is there, its task.json is not. */
  read(key: string): string | null {
    const dir = this.taskDirectory(key)
    this.assertTrusted(key)
    try {
      return readBounded(this.taskDirectory(key) + stateFile)
    } catch (error) {
      if (error instanceof HoldfastError) throw error
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT') throw storageError(error, `${dir}/task.json cannot be read`, dir)
      if (isDirectory(dir)) return null
      throw new HoldfastError('NOT_FOUND', `there is no task ${key} in ${this.path}`, {
        path: dir,
        hint: 'It may have been removed; `holdfast ps --all` lists what is there.',
      })
    }
  }

  /** The keys of all tasks, oldest first. */
  list(): string[] {
    this.assertTrusted()
    try {
      return readdirSync(join(this.path, 'tasks')).filter(isTaskKey).sort()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw storageError(error, `the state directory ${this.path} cannot be read`, this.path)
    }
  }

  /**
   * A private allocation of one task. Only its own state directory knows its key, so nobody can be there
   * before us.
   */
  buildAlloc(key: string, taskName: string): TaskPaths | Promise<TaskPaths> {
    this.prepare()
    const path = this.allocDirectory(key)
    try {
      return makePrivateAllocation(path, taskName)
    } catch (error) {
      if (error instanceof HoldfastError) throw error
      return this.#rebuildAlloc(path, taskName)
    }
  }

  /**
   * An earlier start of the same executor has made it, or somebody removed the tree while we lived; or there
   * is a reason to give.
   */
  async #rebuildAlloc(path: string, taskName: string): Promise<TaskPaths> {
    const alloc = new AllocDir(path)
    await alloc.build([taskName]).catch((failure: unknown) => {
      const { errno, cause } = failure as HoldfastError
      throw errno === undefined ? failure : storageError(cause, `the task's allocation cannot be made`, path)
    })
    return alloc.taskPaths(taskName)
  }

  /** Without a name the long way, which needs to know nothing of the task. */
  async removeAlloc(key: string, taskName?: string): Promise<void> {
    const [path, dir] = [this.allocDirectory(key), this.taskDirectory(key)]
    if (isOtherFileSystem(path)) await (await import('./disk/image.ts')).releaseAllocation(dir, path)
    if (taskName === undefined || !removePrivateAllocation(path, taskName)) await new AllocDir(path).destroy()
    const project = projectOf(dir)
    if (project !== null) await (await import('./disk/project.ts')).releaseProject(project, dirname(path))
  }

  remove(key: string): void {
    const dir = this.taskDirectory(key)
    try {
      // It is flat: this is a third of what the recursive removal costs. Until task.json goes, what says how
      // the task ended is there; after it there is no task, whatever is left (isRemains).
      const names = readdirSync(dir)
      for (const name of names)
        if (name !== 'task.json' && !records.includes(name)) unlinkSync(`${dir}/${name}`)
      failpoint('destroy-records-removed')
      unlinkSync(`${dir}/task.json`)
      failpoint('destroy-state-removed')
      for (const name of records) if (names.includes(name)) unlinkSync(`${dir}/${name}`)
      rmdirSync(dir)
    } catch {
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

const stateFile = `${sep}task.json`

/** In the order of their removal. */
const records = ['start.json', 'exit.json']

/**
 * Whether that is all that is in the directory of a task that was half made, where no shim has been yet, or
 * half removed: its exit record is there.
 */
export function isRemains(names: readonly string[]): boolean {
  const rest = names.filter(name => !name.startsWith('task.json.'))
  return rest.length === 0 || (rest.includes('exit.json') && rest.every(name => records.includes(name)))
}

/**
 * Two supervisors of one task must not write the same temporary file: one would publish what the other has
 * half written.
 */
const writer = lazily(() => ({ name: randomHex(4) }))

export function temporaryName(path: string): string {
  return `${path}.${writer().name}.tmp`
}
