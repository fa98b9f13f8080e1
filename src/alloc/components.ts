const separator = Buffer.from('/')
const here = Buffer.from('.')
const up = Buffer.from('..')

/** The names of a path, without those that say nothing. As bytes: what a link says need be no UTF-8. */
export function componentsOf(path: Buffer): Buffer[] {
  const names: Buffer[] = []
  for (let at = 0; at < path.length;) {
    const found = path.indexOf(separator, at)
    const end = found === -1 ? path.length : found
    const name = path.subarray(at, end)
    if (name.length > 0 && !name.equals(here)) names.push(name)
    at = end + 1
  }
  return names
}

export function isUp(name: Buffer): boolean {
  return name.equals(up)
}
