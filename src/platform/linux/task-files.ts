import { closeSync, constants, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { isText } from '../../alloc/entry-name.ts'
import { openTrusted } from '../../alloc/open-trusted.ts'

/**
 * An entry of a directory that a task may have had a hand in. `nameless`: its name, or where it leads, is no
 * UTF-8. `program`: a file that may be executed. `to`: where a link leads.
 */
export type TaskFile = {
  readonly name: Buffer
  readonly kind: 'nameless' | 'link' | 'directory' | 'program' | 'file'
  readonly to: string
}

const anyExecutes = 0o111

/**
 * By the directory's descriptor: no link is followed on the way to it, nor in it. Throws PERMISSION for a
 * link in its place, and what the file system does.
 */
export function taskFiles(directory: string): TaskFile[] {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
  const fd = openTrusted(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    const at = `/proc/self/fd/${fd}`
    return readdirSync(at, { encoding: 'buffer' }).flatMap(name => fileAt(at, name) ?? [])
  } finally {
    closeSync(fd)
  }
}

/** Null: it has gone meanwhile. */
function fileAt(directory: string, name: Buffer): TaskFile | null {
  if (!isText(name)) return { name, kind: 'nameless', to: '' }
  const path = `${directory}/${name.toString()}`
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return null
  if (stats.isSymbolicLink()) {
    const to = readlinkSync(path, { encoding: 'buffer' })
    return { name, kind: isText(to) ? 'link' : 'nameless', to: to.toString() }
  }
  if (stats.isDirectory()) return { name, kind: 'directory', to: '' }
  const isProgram = stats.isFile() && (stats.mode & anyExecutes) !== 0
  return { name, kind: isProgram ? 'program' : 'file', to: '' }
}
