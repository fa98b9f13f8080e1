/**
 * A name in a directory, or a path that ends in one. The kernel takes any bytes but NUL and the slash: what
 * is no UTF-8 is known by its bytes alone, for Node reads it as U+FFFD, and there is no file of that name.
 */
export type EntryName = string | Buffer

/** Not path.join: it takes strings only, and would look into names that are to be left as they are. */
export function joined(directory: EntryName, name: EntryName): EntryName {
  if (typeof directory === 'string' && typeof name === 'string')
    return directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`
  const [before, after] = [Buffer.from(directory as string), Buffer.from(name as string)]
  return Buffer.concat([before, Buffer.from(before.at(-1) === slash ? '' : '/'), after])
}

const slash = 0x2f

/** Whether a string can say it. */
export function isText(name: Buffer): boolean {
  return Buffer.from(name.toString()).equals(name)
}

/** For people: bytes that are no UTF-8 as `\xe9`. */
export function shown(name: EntryName): string {
  if (typeof name === 'string') return name
  if (isText(name)) return name.toString()
  return name.toString('latin1').replace(/[^\x20-\x7e]/g, byte => {
    return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
