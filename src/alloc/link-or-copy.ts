import { constants } from 'node:fs'
import { type FileHandle, link, open } from 'node:fs/promises'
import type { EntryName } from './entry-name.ts'
import { errnoOf } from './failure.ts'

/**
 * A hard link where the file system has them for this file, else a copy. Rejects with what the system says,
 * EEXIST if something is at `at`.
 */
export async function linkOrCopy(from: EntryName, at: EntryName): Promise<void> {
  if (!(await linked(from, at))) await copyFile(from, at)
}

// EPERM: no hard links here (FAT), or protected_hardlinks and not our file. EMLINK: the inode has its fill.
const unlinkable = new Set(['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'ENOSYS'])

async function linked(from: EntryName, at: EntryName): Promise<boolean> {
  try {
    await link(from, at)
    return true
  } catch (error) {
    if (unlinkable.has(errnoOf(error) ?? '')) return false
    throw error
  }
}

/**
 * Not fs.copyFile: it makes the file with the source's mode, set-user-ID included, and the copy belongs to
 * the supervisor; someone else's setuid program would become root's. O_EXCL follows no link in the last
 * component. O_NONBLOCK: a FIFO without a writer, and a file under a lease (fcntl(2), F_SETLEASE), which its
 * holder need not give up for 45 s, would hold one of Node's few file threads.
 */
export async function copyFile(from: EntryName, at: EntryName): Promise<void> {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
  const source = await open(from, flags)
  try {
    const stats = await source.stat()
    // Something else by now, and nothing that is embedded.
    if (!stats.isFile()) return
    const target = await open(at, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    try {
      await copyBytes(source, target)
      await target.chmod(stats.mode & 0o777)
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
