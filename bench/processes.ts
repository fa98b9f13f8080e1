import { readdirSync, readFileSync } from 'node:fs'

/**
 * Proportional set size in KiB: shared pages are split between those who share them. 0 for a process that is
 * gone.
 */
export function pssKib(pid: number): number {
  const text = readText(`/proc/${pid}/smaps_rollup`)
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0)
}

/** The name the kernel has of a process: of its program, 15 bytes of it. */
export function nameOf(pid: number): string {
  return readText(`/proc/${pid}/comm`).trim()
}

/** A process and all below it. */
export function treeOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = readText(`/proc/${entry}/stat`)
    // The name before the last `)` may hold anything; the parent is the second field after it.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/** What a file of /proc says; nothing where it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
