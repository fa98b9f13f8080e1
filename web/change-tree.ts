import type { ChangeRow } from './types.ts'

export type Counts = { readonly added: number; readonly changed: number; readonly deleted: number }

/** A name in a directory. `change`: null of a directory in which something has changed, and that is all. */
export type TreeNode = {
  readonly name: string
  readonly path: string
  readonly change: ChangeRow | null
  readonly children: readonly TreeNode[]
  /** Of all entries in it, itself included. */
  readonly counts: Counts
}

/** A node in sight. `parent`: the path of what it lies in. */
export type TreeRow = {
  readonly node: TreeNode
  readonly level: number
  readonly position: number
  readonly siblings: number
  readonly parent: string | null
}

type Growing = { name: string; path: string; change: ChangeRow | null; children: Map<string, Growing> }

/** The entries as a tree: directories first, by name. */
export function treeOf(changes: readonly ChangeRow[]): readonly TreeNode[] {
  const top: Growing = { name: '', path: '', change: null, children: new Map() }
  for (const change of changes) {
    let at = top
    for (const name of change.path.split('/')) {
      const path = at.path === '' ? name : `${at.path}/${name}`
      const next = at.children.get(name) ?? { name, path, change: null, children: new Map() }
      at.children.set(name, next)
      at = next
    }
    at.change = change
  }
  return childrenOf(top)
}

function childrenOf({ children }: Growing): TreeNode[] {
  return [...children.values()]
    .map(each => {
      const inner = childrenOf(each)
      return {
        name: each.name,
        path: each.path,
        change: each.change,
        children: inner,
        counts: sum(each, inner),
      }
    })
    .sort((one, other) => rank(one) - rank(other) || (one.name < other.name ? -1 : 1))
}

function rank(node: TreeNode): number {
  return isDirectory(node) ? 0 : 1
}

function sum({ change }: Growing, children: readonly TreeNode[]): Counts {
  const counts = { added: 0, changed: 0, deleted: 0 }
  if (change !== null) counts[change.kind]++
  for (const child of children)
    for (const kind of ['added', 'changed', 'deleted'] as const) counts[kind] += child.counts[kind]
  return counts
}

export function isDirectory({ change, children }: TreeNode): boolean {
  return children.length > 0 || change === null || change.type === 'directory'
}

/** What is in sight, from the top on, where these directories are closed. */
export function rowsOf(nodes: readonly TreeNode[], closed: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = []
  const add = (inner: readonly TreeNode[], level: number, parent: string | null): void => {
    for (const [index, node] of inner.entries()) {
      rows.push({ node, level, position: index + 1, siblings: inner.length, parent })
      if (!closed.has(node.path)) add(node.children, level + 1, node.path)
    }
  }
  add(nodes, 1, null)
  return rows
}

/** What a key does in the tree, as WAI-ARIA's tree pattern has it; null: it is none of the tree's. */
export function stepOf(
  key: string,
  rows: readonly TreeRow[],
  active: string | null,
  closed: ReadonlySet<string>,
): { readonly go: string } | { readonly open: string } | { readonly close: string } | null {
  const at = rows.findIndex(({ node }) => node.path === active)
  const row = rows[at]
  const to = (index: number) => {
    const target = rows[Math.min(rows.length - 1, Math.max(0, index))]
    return target === undefined ? null : { go: target.node.path }
  }
  if (key === 'Home') return to(0)
  if (key === 'End') return to(rows.length - 1)
  if (key === 'ArrowDown') return to(at + 1)
  if (key === 'ArrowUp') return to(at - 1)
  if (row === undefined) return null
  const { path, children } = row.node
  const isOpen = children.length > 0 && !closed.has(path)
  if (key === 'ArrowRight') {
    if (isOpen) return to(at + 1)
    return children.length > 0 ? { open: path } : null
  }
  if (key !== 'ArrowLeft') return null
  if (isOpen) return { close: path }
  return row.parent === null ? null : { go: row.parent }
}
