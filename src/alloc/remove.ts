import { readFileSync } from 'node:fs'
import { readlink, realpath, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { lacking } from '../powers.ts'
import { type Directory, regainDirectory } from './directory.ts'
import { type EntryName, joined, shown } from './entry-name.ts'
import { errnoOf, fileFailure } from './failure.ts'
import { mountsWithin } from './mounts.ts'
import { findDirectory } from './source.ts'

/**
 * Removes a directory tree that hostile programs may still be changing. Follows no link, goes through no
 * mount; a tree that is not there is no error. Rejects INVALID_STATE, nothing removed, if something is
 * mounted at or below it.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    const above = await findDirectory(dirname(path))
    if (above === null) return
    try {
      const real = join(await placeOf(above, dirname(path)), basename(path))
      await refuseMounts(real)
      if (above.fd === null) await rm(real, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
      else await removeBelow(above, basename(path))
    } finally {
      await above.close()
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileFailure(error, 'remove', path)
  }
}

function placeOf({ fd }: Directory, path: string): Promise<string> {
  return fd === null ? realpath(path) : readlink(`/proc/self/fd/${fd}`)
}

async function refuseMounts(path: string): Promise<void> {
  const [mount] = await mountsWithin(path)
  if (mount === undefined) return
  throw new HoldfastError('INVALID_STATE', `${path} is not removed: ${mount} is a live mount`, {
    path: mount,
    errno: 'EBUSY',
    hint: `unmount it first: umount '${mount}'`,
  })
}

/*
 * Node's fs.rm looks at a path (lstat), then lists and unlinks through that path: a task that swaps a
 * directory for a link in between makes it delete elsewhere. Here every directory is opened with O_NOFOLLOW
 * and its entries are reached through the descriptor.
 */
async function removeBelow(parent: Directory, name: string): Promise<void> {
  const root = await parent.enter(name)
  try {
    const walk: Walk = { root, mount: mountIdOf(root), moved: 0 }
    await emptied(root, walk, 0)
    await rmdir(parent.at(name))
  } finally {
    await root.close()
  }
}

type Walk = { readonly root: Directory; readonly mount: string; moved: number }

// One descriptor per level is held. A task can nest deeper than any descriptor limit (and any path length):
// what lies deeper is first moved up.
const deepest = 64
// Someone may still be writing. Each round removes all it sees; a writer that wins this often is alive and
// has to be stopped first.
const rounds = 16
// A round that moved something up has found work, not a writer; but even that has to end.
const maxMoves = 1_000_000

async function emptied(directory: Directory, walk: Walk, depth: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    let seen = false
    const movedBefore = walk.moved
    for await (const name of directory.names()) {
      seen = true
      await removeEntry(directory, name, walk, depth)
    }
    if (!seen) return
    if (walk.moved > movedBefore && walk.moved < maxMoves) round--
  }
  throw new HoldfastError(
    'INVALID_STATE',
    `${directory.path} is not removed: something still writes into it`,
    {
      path: directory.path,
      errno: 'ENOTEMPTY',
      hint: 'stop the tasks of the allocation first',
    },
  )
}

async function removeEntry(directory: Directory, name: EntryName, walk: Walk, depth: number): Promise<void> {
  try {
    // Not the listing's type: it may be out of date. unlink(2) itself tells a directory from the rest, and
    // follows nothing.
    await unlink(directory.at(name))
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT') return
    if (errno !== 'EISDIR') throw fileFailure(error, 'remove', shown(joined(directory.path, name)))
    await removeDirectory(directory, name, walk, depth)
  }
}

async function removeDirectory(parent: Directory, name: EntryName, walk: Walk, depth: number): Promise<void> {
  try {
    if (depth >= deepest) return await rename(parent.at(name), walk.root.at(`.removing-${walk.moved++}`))
    const child = await enterAnyway(parent, name)
    try {
      refuseOtherMount(child, walk)
      await emptied(child, walk, depth + 1)
    } finally {
      await child.close()
    }
    await rmdir(parent.at(name))
  } catch (error) {
    // Swapped for a file or a link, or filled again: the next round sees what is there now.
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) return
    throw fileFailure(error, 'remove', shown(joined(parent.path, name)))
  }
}

async function enterAnyway(parent: Directory, name: EntryName): Promise<Directory> {
  // Root with its power needs no permission bits. Others are stopped by what their own task has taken away
  // (chmod 000).
  if (!overridesModes()) await regainDirectory(parent.at(name))
  return parent.enter(name)
}

let rootOverrides: boolean | undefined

/** Root may have been started without. */
function overridesModes(): boolean {
  if (process.geteuid?.() !== 0) return false
  rootOverrides ??= lacking(['CAP_DAC_OVERRIDE'], 0).length === 0
  return rootOverrides
}

/**
 * A mount that appeared after the check. Bind mounts share the device number, so the mount's id has to be
 * compared.
 */
function refuseOtherMount(directory: Directory, walk: Walk): void {
  if (mountIdOf(directory) === walk.mount) return
  throw new HoldfastError('INVALID_STATE', `${directory.path} is not removed: it is a live mount`, {
    path: directory.path,
    errno: 'EBUSY',
    hint: `unmount it first: umount '${directory.path}'`,
  })
}

function mountIdOf(directory: Directory): string {
  const text = readFileSync(`/proc/self/fdinfo/${directory.fd}`, 'latin1')
  return /^mnt_id:\s*(\d+)/m.exec(text)?.[1] ?? ''
}
