import { statSync } from 'node:fs'
import type { KernelFacts } from '../../../machines/index.ts'
import { namespaceLinks } from '../linux/kernel-features.ts'
import { type Finding, judged, unread } from './finding.ts'
import type { Compared } from './privileges.ts'

type Links = KernelFacts['namespaces']

/** Names of rows, and of the links in /proc/PID/ns. */
const links = { ...namespaceLinks, user: 'user' } as const satisfies Record<string, keyof Links>

const notReadable = 'whoever asks may not read it'

export type NamespaceName = keyof typeof links

/**
 * Whose a task of its own is not in: the shim's, and those of whoever reads. An ordinary user may not read
 * the shim's; then it is in those of whoever reads, but for the user and mount namespaces of rootless tasks.
 */
export type Others = { readonly shim: Links; readonly reader: Links | null }

/**
 * A namespace is the task's own when it is nobody else's whom we know to be outside. One that the task has
 * made for itself since is inside of that, and as good.
 */
export function namespaceInForce(
  name: NamespaceName,
  { task }: Pick<Compared, 'task'>,
  others: Others,
): Finding {
  const link = links[name]
  const found = task.namespaces[link]
  // The shim is in the user namespace that its task is in.
  const ofShim = name === 'user' ? null : others.shim[link]
  const outside = [ofShim, others.reader?.[link]].filter(Boolean)
  if (found === undefined) return absent(others.shim[link])
  if (found === null) return unread(notReadable)
  if (name === 'user' && outside.length === 0) return judged(isMade(found), found)
  if (outside.length === 0) return unread(notReadable)
  return outside.includes(found) ? judged(false, `the host's, ${found}`) : judged(true, `own, ${found}`)
}

/** A network namespace that was there already is named by a file. */
export function networkInForce(
  path: string | null,
  compared: Pick<Compared, 'task'>,
  others: Others,
): Finding {
  if (path === null) return namespaceInForce('network', compared, others)
  const found = compared.task.namespaces.net
  if (found === undefined) return absent(others.shim.net)
  if (found === null) return unread(notReadable)
  const wanted = inodeOf(path)
  return wanted === null ? unread(`${path} is gone`) : judged(found === `net:[${wanted}]`, found)
}

/** Of the host it is the shim's and the reader's. */
export function rootInForce({ task }: Pick<Compared, 'task'>, others: readonly (string | null)[]): Finding {
  const outside = others.filter(root => root !== null)
  if (task.root === null || outside.length === 0) return unread(notReadable)
  return outside.includes(task.root) ? judged(false, "the host's") : judged(true, `own, ${task.root}`)
}

/** Of what runs inside another: it is in all that the other is in. */
export function insideInForce({ task }: Pick<Compared, 'task'>, target: KernelFacts | null): Finding {
  if (target === null) return unread('the task that it runs inside of cannot be read')
  const kinds = Object.entries(links)
  const isUnread = ([, link]: (typeof kinds)[number]): boolean => {
    const [found, wanted] = [task.namespaces[link], target.namespaces[link]]
    return found === null || wanted === null || (found === undefined) !== (wanted === undefined)
  }
  if (kinds.some(isUnread)) return unread(notReadable)
  const different = kinds.filter(([, link]) => task.namespaces[link] !== target.namespaces[link])
  const names = different.map(([name]) => name).join(', ')
  return names === ''
    ? judged(true, "in the task's namespaces")
    : judged(false, `in another ${names} namespace`)
}

/** Of a process that has ended there is no link either: the kernel has none where the shim has none. */
function absent(ofShim: string | null | undefined): Finding {
  return ofShim === undefined ? judged(false, 'this kernel has none') : unread('its process has ended')
}

/** The kernel's own have lower numbers (src/id-maps.ts). */
function isMade(link: string): boolean {
  return Number(/\[(\d+)\]$/.exec(link)?.[1] ?? 0) >= 0xf0000000
}

function inodeOf(path: string): number | null {
  try {
    return statSync(path).ino
  } catch {
    return null
  }
}
