import { realpathSync } from 'node:fs'
import { posix } from 'node:path'
import { readLink } from '../if-there.ts'

/** As many as the kernel follows (path_resolution(7)). */
const maxLinks = 40

/**
 * Where a link leads, with each place that it leads through, as the links have them; last the place where no
 * link is left. Empty for what is none, or leads nowhere.
 */
export function placesOnTheWay(link: string): string[] {
  const places: string[] = []
  try {
    const end = realpathSync.native(link)
    for (let at = link; places.length < maxLinks;) {
      const target = readLink(at)
      if (target === '') break
      at = posix.resolve(posix.dirname(at), target)
      places.push(at)
    }
    return places.length === 0 ? [] : [...new Set([...places, end])]
  } catch {
    return []
  }
}
