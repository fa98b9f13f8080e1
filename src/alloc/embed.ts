import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, link, lstat, open, readdir, readlink, symlink, unlink } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { refusal } from '../command/refusal.ts'
import { HoldfastError } from '../errors.ts'
import { Directory } from './directory.ts'
import { errnoOf, fileFailure } from './failure.ts'

/** The allocation's own directory: never embedded into itself. */
export type Excluded = { readonly dev: bigint; readonly ino: bigint }

type How = { readonly excluded: Excluded; readonly put: (from: string, at: string) => Promise<void> }

/**
 * Puts the host's file, link or directory tree at `pathInTask` below `taskDir`. Files are hard links where the file system allows it,
 * else copies, and always copies in `local/`, which the task may write; links stay links; sockets, FIFOs and devices are left out. A missing source is no error.
 * No link below `taskDir` is followed: one in the way as a directory is an error, one in the place of a file is replaced.
 */
export async function embedPath(
  taskDir: string,
  hostPath: string,
  pathInTask: string,
  excluded: Excluded,
): Promise<void> {
  if (!isAbsolute(hostPath) || hostPath.includes('\0')) {
    throw refusal('embed: host path', hostPath, 'an absolute path without NUL')
  }
  const names = namesWithin(pathInTask)
  const source = await statOrNull(hostPath)
  if (source === null) return
  // In local/ the task may write, and a hard link is the host's own file.
  const put = names[0] === 'local' ? copyFile : linkOrCopy
  try {
    await embedBelow(taskDir, names, hostPath, source, { excluded, put })
  } catch (error) {
    throw embedFailure(error, hostPath, join(taskDir, ...names))
  }
}

/** The components of a path that must stay inside the task directory; an absolute one is taken relative to it. */
function namesWithin(pathInTask: string): string[] {
  const names = pathInTask.split('/').filter(name => name !== '' && name !== '.')
  if (names.includes('..') || pathInTask.includes('\0')) {
    throw refusal('embed: path in task', pathInTask, 'a path inside the task directory, without ".." and NUL')
  }
  return names
}

async function embedBelow(
  taskDir: string,
  names: readonly string[],
  hostPath: string,
  source: BigIntStats,
  how: How,
): Promise<void> {
  let directory = await Directory.open(taskDir)
  try {
    const parents = source.isDirectory() ? names : names.slice(0, -1)
    for (const [index, name] of parents.entries()) {
      const last = source.isDirectory() && index === parents.length - 1
      const child = await directory.make(name, last ? modeOf(source) : 0o755)
      await directory.close()
      directory = child
    }
    if (source.isDirectory()) return await embedTree(hostPath, directory, how)
    const name = names.at(-1)
    if (name === undefined) {
      throw refusal('embed: path in task', '.', 'a path below the task directory for what is not a directory')
    }
    await embedEntry(hostPath, source, directory, name, how)
  } finally {
    await directory.close()
  }
}

async function embedTree(hostPath: string, directory: Directory, how: How): Promise<void> {
  const { excluded } = how
  for (const name of await readdir(hostPath)) {
    const from = join(hostPath, name)
    const source = await statOrNull(from)
    if (source === null || (source.dev === excluded.dev && source.ino === excluded.ino)) continue
    if (!source.isDirectory()) {
      await embedEntry(from, source, directory, name, how)
      continue
    }
    const child = await directory.make(name, modeOf(source))
    try {
      await embedTree(from, child, how)
    } finally {
      await child.close()
    }
  }
}

async function embedEntry(
  from: string,
  source: BigIntStats,
  directory: Directory,
  name: string,
  { put }: How,
): Promise<void> {
  if (!source.isFile() && !source.isSymbolicLink()) return
  const at = directory.at(name)
  const present = await statOrNull(at)
  if (present !== null) {
    if (present.dev === source.dev && present.ino === source.ino) return
    await unlink(at)
  }
  if (source.isSymbolicLink()) await symlink(await readlink(from), at)
  else await put(from, at)
}

async function linkOrCopy(from: string, at: string): Promise<void> {
  if (!(await linked(from, at))) await copyFile(from, at)
}

// EPERM: no hard links here (FAT), or protected_hardlinks and not our file. EMLINK: the inode has its fill.
const unlinkable = new Set(['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'ENOSYS'])

async function linked(from: string, at: string): Promise<boolean> {
  try {
    await link(from, at)
    return true
  } catch (error) {
    if (unlinkable.has(errnoOf(error) ?? '')) return false
    throw error
  }
}

/**
 * Not fs.copyFile: it makes the file with the source's mode, set-user-ID included, and the copy belongs to the supervisor;
 * someone else's setuid program would become root's. O_EXCL follows no link in the last component.
 */
async function copyFile(from: string, at: string): Promise<void> {
  const source = await open(from, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    const target = await open(at, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    try {
      await copyBytes(source, target)
      await target.chmod(Number((await source.stat()).mode & 0o777))
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function copyBytes(source: FileHandle, target: FileHandle): Promise<void> {
  const buffer = Buffer.allocUnsafe(1 << 18)
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length)
    if (bytesRead === 0) return
    // Not handle.write, which may write less than it was given.
    await target.writeFile(buffer.subarray(0, bytesRead))
  }
}

function modeOf(source: BigIntStats): number {
  return Number(source.mode & 0o1777n)
}

async function statOrNull(path: string): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null
    throw error
  }
}

function embedFailure(error: unknown, hostPath: string, path: string): HoldfastError {
  const errno = errnoOf(error)
  if (!(error instanceof HoldfastError) && (errno === 'ENOTDIR' || errno === 'ELOOP')) {
    return new HoldfastError(
      'INVALID_STATE',
      `cannot embed ${hostPath} at ${path}: a component of it is a link or not a directory`,
      {
        errno,
        path,
        hint: 'links inside the task directory are never followed; remove it or embed elsewhere',
        cause: error,
      },
    )
  }
  return fileFailure(error, `embed ${hostPath} at`, path)
}
