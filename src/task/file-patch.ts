import { createHash } from 'node:crypto'
import type { FilePatch } from '../api.ts'
import type { OverlayContents, OverlaySide } from '../spawn/overlay-contents.ts'
import { unifiedDiff } from './unified-diff.ts'

type Patch = Pick<FilePatch, 'patch' | 'omitted'>

/**
 * What Git writes of one entry, or why that does not hold it; null of a directory, of which Git knows none.
 * A file that has become a link, or the other way round, is deleted and made.
 */
export function patchOf({ entry, before, after }: OverlayContents): Patch | null {
  if (after.type === 'o' || before.type === 'o') return left('special')
  const old = isKept(before) ? before : null
  const now = isKept(after) ? after : null
  if (old === null && now === null) return null
  for (const side of [old, now]) {
    if (side === null) continue
    if (side.state !== 'whole') return left(side.state)
    if (side.type === 'f' && side.bytes.includes(0)) return left('binary')
  }
  if (old !== null && now !== null && old.type === now.type) return changed(entry.path, old, now)
  const pieces = [
    ...(old === null ? [] : [oneSided(entry.path, old, 'deleted file')]),
    ...(now === null ? [] : [oneSided(entry.path, now, 'new file')]),
  ]
  return { patch: Buffer.concat(pieces), omitted: null }
}

function left(omitted: NonNullable<Patch['omitted']>): Patch {
  return { patch: null, omitted }
}

function isKept({ type }: OverlaySide): boolean {
  return type === 'f' || type === 'l'
}

function changed(path: Buffer, old: OverlaySide, now: OverlaySide): Patch {
  const [oldMode, newMode] = [modeOf(old), modeOf(now)]
  const hunks = unifiedDiff(old.bytes, now.bytes)
  if (hunks.length === 0 && oldMode === newMode) return left('mode')
  const head = [
    ...(oldMode === newMode ? [] : [`old mode ${oldMode}`, `new mode ${newMode}`]),
    ...(hunks.length === 0
      ? []
      : [`index ${blobOf(old)}..${blobOf(now)}${oldMode === newMode ? ` ${oldMode}` : ''}`]),
  ]
  return { patch: withHead(path, head, hunks, [nameIn('a', path), nameIn('b', path)]), omitted: null }
}

function oneSided(path: Buffer, side: OverlaySide, what: 'new file' | 'deleted file'): Buffer {
  const isNew = what === 'new file'
  const hunks = isNew ? unifiedDiff(nothing, side.bytes) : unifiedDiff(side.bytes, nothing)
  const blobs = isNew ? [noBlob, blobOf(side)] : [blobOf(side), noBlob]
  const names = isNew ? ['/dev/null', nameIn('b', path)] : [nameIn('a', path), '/dev/null']
  return withHead(path, [`${what} mode ${modeOf(side)}`, `index ${blobs.join('..')}`], hunks, names)
}

function withHead(path: Buffer, head: readonly string[], hunks: Buffer, names: readonly string[]): Buffer {
  const lines = [
    `diff --git ${nameIn('a', path)} ${nameIn('b', path)}`,
    ...head,
    ...(hunks.length === 0 ? [] : [`--- ${names[0]}`, `+++ ${names[1]}`]),
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), hunks])
}

const nothing = Buffer.alloc(0)
const noBlob = '0'.repeat(40)

/** Git's name of the contents, by which patch(1) knows an empty file from none. */
function blobOf({ bytes }: OverlaySide): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

/** Git knows who may execute a file, and no more. */
function modeOf({ type, mode }: OverlaySide): string {
  if (type === 'l') return '120000'
  return (mode & 0o100) === 0 ? '100644' : '100755'
}

const escapes: Readonly<Record<number, string>> = {
  0x07: 'a',
  0x08: 'b',
  0x09: 't',
  0x0a: 'n',
  0x0b: 'v',
  0x0c: 'f',
  0x0d: 'r',
  0x22: '"',
  0x5c: '\\',
}

/**
 * As Git quotes names, so that no byte of one means anything to a terminal or to who reads the patch; one
 * with a space, too, since patch(1) takes the space for the end.
 */
function nameIn(side: 'a' | 'b', path: Buffer): string {
  const text = path.toString('latin1')
  if (/^[\x21\x23-\x5b\x5d-\x7e]*$/.test(text)) return `${side}/${text}`
  const quoted = text.replace(/[^\x20-\x7e]|["\\]/g, character => {
    const byte = character.charCodeAt(0)
    return `\\${escapes[byte] ?? byte.toString(8).padStart(3, '0')}`
  })
  return `"${side}/${quoted}"`
}
