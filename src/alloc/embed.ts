import type { BigIntStats } from 'node:fs'
import { lstat, readlink, symlink, unlink } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { isFaithful } from '../command/faithful.ts'
import { invalidArgument } from '../invalid-argument.ts'
import { HoldfastError } from '../errors.ts'
import { Directory } from './directory.ts'
import { type EntryName, joined, shown } from './entry-name.ts'
import { embedFailure, leased } from './embed-failure.ts'
import { errnoOf } from './failure.ts'
import { copyFile, linkOrCopy } from './link-or-copy.ts'
import { findSource, type Source } from './source.ts'

/** The allocation's own directory: never embedded into itself. */
export type Excluded = { readonly dev: bigint; readonly ino: bigint }

type How = { readonly excluded: Excluded; readonly put: (from: EntryName, at: EntryName) => Promise<void> }

/**
 * Puts the host's file, link or directory tree at `pathInTask` below `taskDir`. Files are hard links where
 * the file system allows it, else copies, and always copies in `local/`, which the task may write; links stay
 * links; sockets, FIFOs and devices are left out. A missing source is no error.
 * No link below `taskDir` is followed: one in the way as a directory is an error, one in the place of a file
 * is replaced. Nor is one on the way to the source that somebody else could have made, or one that appears in
 * the tree meanwhile: what is copied was in it. Names are taken as bytes.
 */
export async function embedPath(
  taskDir: string,
  hostPath: string,
  pathInTask: string,
  excluded: Excluded,
): Promise<void> {
  if (!isAbsolute(hostPath) || !isFaithful(hostPath)) {
    throw invalidArgument('embed: host path', hostPath, 'an absolute path without NUL and lone surrogates')
  }
  const names = namesWithin(pathInTask)
  // In local/ the task may write, and a hard link is the host's own file.
  const put = names[0] === 'local' ? copyFile : linkOrCopy
  try {
    const found = findSource(hostPath)
    if (found === null) return
    try {
      await embedFound(taskDir, names, found, { excluded, put })
    } finally {
      await found.directory.close()
    }
  } catch (error) {
    throw embedFailure(error, hostPath, join(taskDir, ...names))
  }
}

/**
 * The components of a path that must stay inside the task directory; an absolute one is taken relative to it.
 */
function namesWithin(pathInTask: string): string[] {
  const names = pathInTask.split('/').filter(name => name !== '' && name !== '.')
  if (names.includes('..') || !isFaithful(pathInTask)) {
    throw invalidArgument(
      'embed: path in task',
      pathInTask,
      'a path inside the task directory, without "..", NUL and lone surrogates',
    )
  }
  return names
}

async function embedFound(
  taskDir: string,
  names: readonly string[],
  { directory, name }: Source,
  how: How,
): Promise<void> {
  const from = name === null ? directory.self : directory.at(name)
  const source = await statOrNull(from)
  if (source === null) return
  const target = await parentsOf(taskDir, source.isDirectory() ? names : names.slice(0, -1), source)
  try {
    if (!source.isDirectory()) {
      const last = names.at(-1)
      if (last === undefined) {
        throw invalidArgument(
          'embed: path in task',
          '.',
          'a path below the task directory for what is not a directory',
        )
      }
      return await embedEntry({ directory, name: name ?? '.' }, source, target, last, how)
    }
    const tree = await directory.enter(name ?? '.')
    try {
      await embedTree(tree, target, how, 0)
    } finally {
      await tree.close()
    }
  } finally {
    await target.close()
  }
}

async function parentsOf(taskDir: string, names: readonly string[], source: BigIntStats): Promise<Directory> {
  let directory = await Directory.open(taskDir)
  try {
    for (const [index, name] of names.entries()) {
      const last = source.isDirectory() && index === names.length - 1
      const child = await directory.make(name, last ? modeOf(source) : 0o755)
      await directory.close()
      directory = child
    }
    return directory
  } catch (error) {
    await directory.close()
    throw error
  }
}

// Two descriptors a level are held. A task can nest deeper than any limit of them.
const deepest = 200

async function embedTree(from: Directory, to: Directory, how: How, depth: number): Promise<void> {
  const { excluded } = how
  if (depth > deepest)
    throw new HoldfastError(
      'INVALID_STATE',
      `cannot embed ${from.path}: over ${deepest} levels of directories`,
      {
        path: from.path,
        errno: 'ELOOP',
      },
    )
  for await (const name of from.names()) {
    const source = await statOrNull(from.at(name))
    if (source === null || (source.dev === excluded.dev && source.ino === excluded.ino)) continue
    if (!source.isDirectory()) {
      await embedEntry({ directory: from, name }, source, to, name, how)
      continue
    }
    const child = await from.enter(name)
    try {
      const copy = await to.make(name, modeOf(await child.stat()))
      try {
        await embedTree(child, copy, how, depth + 1)
      } finally {
        await copy.close()
      }
    } finally {
      await child.close()
    }
  }
}

async function embedEntry(
  origin: { readonly directory: Directory; readonly name: EntryName },
  source: BigIntStats,
  directory: Directory,
  name: EntryName,
  { put }: How,
): Promise<void> {
  if (!source.isFile() && !source.isSymbolicLink()) return
  const at = directory.at(name)
  const present = await statOrNull(at)
  if (present !== null) {
    if (present.dev === source.dev && present.ino === source.ino) return
    await unlink(at)
  }
  const from = origin.directory.at(origin.name)
  if (source.isSymbolicLink()) return symlink(await readlink(from, { encoding: 'buffer' }), at)
  try {
    await put(from, at)
  } catch (error) {
    if (errnoOf(error) !== 'EAGAIN') throw error
    throw leased(error, shown(joined(origin.directory.path, origin.name)))
  }
}

function modeOf(source: BigIntStats): number {
  return Number(source.mode & 0o1777n)
}

async function statOrNull(path: EntryName): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null
    throw error
  }
}
