import { lstat, readlink, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isFaithful } from '../command/faithful.ts'
import { describe, invalidArgument } from '../invalid-argument.ts'
import { HoldfastError } from '../errors.ts'
import { absolute } from '../working-directory.ts'
import type { Directory } from './directory.ts'
import { embedPath } from './embed.ts'
import { errnoOf, fileFailure } from './failure.ts'
import { modeOfPart, modes, sharedName, sharedParts } from './layout.ts'
import { removeTree } from './remove.ts'
import { findDirectory } from './source.ts'
import { assertTaskName } from './task-name.ts'
import type { TaskPaths } from './task-paths.ts'

/**
 * The directory tree of an allocation, a group of tasks that share files:
 *
 *     <path>/                0700  or passable for the group of a task without a root of its own (Basic),
 *     once one is started
 *       alloc/               1777  shared between the tasks
 *         logs/ tmp/ data/   1777
 *       <task>/              0755  the task's own; the supervisor's to write
 *         local/             1777  the task's to write
 *
 * Links inside it are never followed: the tasks may have put them there.
 */
export class AllocDir {
  /** The allocation's directory, absolute. */
  readonly path: string
  /** `alloc/`, shared between the tasks. */
  readonly sharedDir: string
  readonly #taskDirs = new Map<string, string>()

  /**
   * Touches nothing. Throws INVALID_ARGUMENT for an empty path, `/`, and one with NUL or a lone surrogate.
   */
  constructor(path: string) {
    if (
      typeof path !== 'string' ||
      path === '' ||
      !isFaithful(path) ||
      absolute(path, 'the allocation path') === '/'
    ) {
      throw invalidArgument(
        'allocation path',
        path,
        'the path of a directory other than "/", without NUL and lone surrogates',
      )
    }
    this.path = absolute(path, 'the allocation path')
    this.sharedDir = join(this.path, sharedName)
  }

  /** Each built task's directory, by its name. */
  get taskDirs(): ReadonlyMap<string, string> {
    return this.#taskDirs
  }

  /**
   * Makes the tree with a directory for each task; what is there already is kept, so that a later supervisor
   * can build it again. Rejects INVALID_ARGUMENT for a name no task can have (nothing is made then),
   * PERMISSION, INVALID_STATE if a link or file is in the way.
   */
  async build(taskNames: readonly string[]): Promise<void> {
    assertTaskNames(taskNames)
    try {
      await this.#make(taskNames)
    } catch (error) {
      throw fileFailure(error, 'build', this.path)
    }
    for (const name of taskNames) this.#taskDirs.set(name, join(this.path, name))
  }

  /**
   * Takes a tree that somebody else has built (Nomad's client): what build() makes must be there, and nothing
   * is made or changed. Rejects INVALID_ARGUMENT for a name no task can have, NOT_FOUND for a missing
   * directory, INVALID_STATE for a link or file in its place.
   */
  async adopt(taskNames: readonly string[]): Promise<void> {
    assertTaskNames(taskNames)
    // A link on the way that a task could have made is refused.
    const found = await findDirectory(this.path)
    await found?.close()
    const needed = [sharedName, ...taskNames.flatMap(name => [name, join(name, 'local')])]
    for (const part of ['', ...needed]) await assertDirectory(join(this.path, part))
    for (const name of taskNames) this.#taskDirs.set(name, join(this.path, name))
  }

  /** Where one task's files lie. Throws NOT_FOUND for a task that was not built. */
  taskPaths(task: string): TaskPaths {
    const directory = this.#taskDirs.get(task)
    if (directory === undefined) {
      const known = [...this.#taskDirs.keys()].map(describe).join(', ') || 'none'
      throw new HoldfastError(
        'NOT_FOUND',
        `allocation ${this.path} has no task ${describe(task)}; it has: ${known}`,
        {
          path: this.path,
          hint: 'build() the allocation with this task name first',
        },
      )
    }
    return { root: this.path, shared: this.sharedDir, task: directory, local: join(directory, 'local') }
  }

  /**
   * Puts files and directories of the host into the task's directory, `{ hostPath: pathInTask }`: hard links
   * where possible, else copies (always in `local/`, which the task may write); links stay links. A missing
   * source is no error. A hard link is the host's own file: its mode and content are shared.
   * Rejects NOT_FOUND for an unknown task, INVALID_ARGUMENT for a path that leaves the task's directory,
   * INVALID_STATE for a link in the way.
   */
  async embed(task: string, entries: Readonly<Record<string, string>>): Promise<void> {
    if (typeof entries !== 'object' || entries === null)
      throw invalidArgument('embed: entries', entries, 'an object { hostPath: pathInTask }')
    const { task: directory } = this.taskPaths(task)
    const excluded = await lstat(this.path, { bigint: true }).catch((error: unknown) => {
      throw fileFailure(error, 'look at', this.path)
    })
    for (const [hostPath, pathInTask] of Object.entries(entries)) {
      if (typeof pathInTask !== 'string')
        throw invalidArgument(`embed: path in task of ${hostPath}`, pathInTask, 'a path')
      await embedPath(directory, hostPath, pathInTask, excluded)
    }
  }

  /**
   * Makes `alloc/` reachable as `<task>/alloc`. The original bind-mounted it and left mounts behind; here
   * mounts live in the task's own mount namespace and the host gets a relative link, which also survives a
   * move of the allocation. Idempotent. Rejects NOT_FOUND for an unknown task, INVALID_STATE if something
   * else is in its place.
   */
  async mountSharedDir(task: string): Promise<void> {
    const { task: directory } = this.taskPaths(task)
    const at = join(directory, sharedName)
    const target = join('..', sharedName)
    try {
      await symlink(target, at)
    } catch (error) {
      const present = errnoOf(error) === 'EEXIST' ? await readlink(at).catch(() => null) : null
      if (present !== target) throw fileFailure(error, 'link the shared directory at', at)
    }
  }

  /**
   * Removes the whole tree, and nothing else: no link is followed, and while something is mounted in it,
   * nothing is removed (INVALID_STATE, naming the mount). Idempotent.
   */
  async destroy(): Promise<void> {
    await removeTree(this.path)
    this.#taskDirs.clear()
  }

  async #make(taskNames: readonly string[]): Promise<void> {
    const parent = await parentMade(dirname(this.path))
    const root = await parent.make(basename(this.path), modes.root).finally(() => parent.close())
    try {
      await makeWithin(root, sharedName, modes.open, sharedParts)
      for (const name of taskNames) await makeWithin(root, name, modes.task, ['local'])
    } finally {
      await root.close()
    }
  }
}

/** The caller's, as links of root's or our own say; one that a task could have made is refused. */
async function parentMade(path: string): Promise<Directory> {
  const found = await findDirectory(path)
  if (found !== null) return found
  const above = await parentMade(dirname(path))
  return above.make(basename(path), 0o755).finally(() => above.close())
}

function assertTaskNames(names: unknown): void {
  if (!Array.isArray(names)) throw invalidArgument('task names', names, 'an array of task names')
  for (const [index, name] of names.entries()) assertTaskName(name as string, `task names[${index}]`)
}

async function assertDirectory(path: string): Promise<void> {
  const stats = await lstat(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw fileFailure(error, 'look at', path)
    throw new HoldfastError('NOT_FOUND', `the allocation lacks ${path}`, {
      path,
      errno: 'ENOENT',
      hint: 'adopt() takes a complete tree; build() makes one.',
    })
  })
  if (!stats.isDirectory())
    throw new HoldfastError('INVALID_STATE', `${path} is not a directory`, { path, errno: 'ENOTDIR' })
}

async function makeWithin(
  root: Directory,
  name: string,
  mode: number,
  parts: readonly string[],
): Promise<void> {
  const directory = await root.make(name, mode, true)
  try {
    for (const part of parts) await (await directory.make(part, modeOfPart(part), true)).close()
  } finally {
    await directory.close()
  }
}
