import { useEffect, useState } from 'preact/hooks'
import { isDirectory, rowsOf, stepOf, type Counts, type TreeNode, type TreeRow } from './change-tree.ts'
import { visible } from './text.ts'
import type { ChangeRow } from './types.ts'
import { Runway, useViewport } from './viewport.tsx'

const signs = { added: '+', changed: '±', deleted: '−' } as const
const letters = { added: 'A', changed: 'M', deleted: 'D' } as const
/** More are closed at first. */
const openAtFirst = 200
const rowHeight = 26

type Props = {
  nodes: readonly TreeNode[]
  chosen: string | null
  choose: (path: string) => void
}

/** One stop of the keyboard; arrows go through it, Right and Left open and close. */
export function ChangeTree({ nodes, chosen, choose }: Props) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(() => closedAtFirst(nodes))
  const view = useViewport(rowHeight)
  const rows = rowsOf(nodes, closed)
  const active = rows.some(({ node }) => node.path === chosen) ? chosen : (rows[0]?.node.path ?? null)
  const toggle = (path: string): void => {
    const next = new Set(closed)
    if (!next.delete(path)) next.add(path)
    setClosed(next)
  }
  const { first, count } = view.within(rows.length)
  const at = rows.findIndex(({ node }) => node.path === active)
  useEffect(() => {
    if (chosen !== null && chosen === active) view.reveal(at)
  }, [chosen])
  const pressed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    if ((event.key === 'Enter' || event.key === ' ') && active !== null) {
      event.preventDefault()
      if (chosen === active) toggle(active)
      choose(active)
      return
    }
    // What is shown first is gone to before anything else.
    const step = stepOf(event.key, rows, chosen === null ? null : active, closed)
    if (step === null) return
    event.preventDefault()
    if ('go' in step) choose(step.go)
    else toggle('open' in step ? step.open : step.close)
  }
  return (
    <div
      ref={view.box}
      class="tree"
      role="tree"
      aria-label="Changed files"
      tabIndex={0}
      aria-activedescendant={at >= first && at < first + count ? `change-${at}` : undefined}
      onScroll={view.scrolled}
      onKeyDown={pressed}
    >
      <Runway height={rows.length * rowHeight}>
        {rows.slice(first, first + count).map((row, index) => (
          <Item
            key={row.node.path}
            index={first + index}
            row={row}
            isOpen={row.node.children.length > 0 ? !closed.has(row.node.path) : null}
            isChosen={row.node.path === chosen}
            choose={() => {
              if (row.node.children.length > 0 && (row.node.change === null || row.node.path === chosen))
                toggle(row.node.path)
              choose(row.node.path)
            }}
          />
        ))}
      </Runway>
    </div>
  )
}

function closedAtFirst(nodes: readonly TreeNode[]): ReadonlySet<string> {
  const all = rowsOf(nodes, new Set())
  return new Set(
    all.length <= openAtFirst ? [] : all.filter(({ node }) => isDirectory(node)).map(({ node }) => node.path),
  )
}

type ItemProps = {
  /** Among the rows that are open. */
  index: number
  row: TreeRow
  /** Null: there is nothing in it. */
  isOpen: boolean | null
  isChosen: boolean
  choose: () => void
}

function Item({ index, row: { node, level, position, siblings }, isOpen, isChosen, choose }: ItemProps) {
  const { change, counts, name } = node
  return (
    <div
      id={`change-${index}`}
      class={`item ${change?.kind ?? ''}`}
      role="treeitem"
      aria-label={labelOf(node)}
      aria-level={level}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-selected={isChosen}
      aria-expanded={isOpen ?? undefined}
      style={{ top: `${index * rowHeight}px`, paddingLeft: `${8 + (Math.min(level, 12) - 1) * 16}px` }}
      title={visible(name)}
      onClick={choose}
    >
      <span class="twisty" aria-hidden="true">
        {isOpen === null ? '' : isOpen ? '▾' : '▸'}
      </span>
      <span class="name">
        {visible(name)}
        {isDirectory(node) && '/'}
      </span>
      {change?.conflict === true && <span class="conflict">conflict</span>}
      {change === null ? (
        <Sums counts={counts} />
      ) : (
        <span class="kind">
          {letters[change.kind]} {kindText(change)}
        </span>
      )}
    </div>
  )
}

function kindText({ kind, type }: ChangeRow): string {
  return `${kind}${type === 'link' ? ' link' : type === 'other' ? ' special file' : ''}`
}

/** For who listens. */
function labelOf(node: TreeNode): string {
  const { name, change, counts } = node
  const what = `${visible(name)}${isDirectory(node) ? ', directory' : ''}`
  if (change === null) return `${what}, in it ${sumText(counts)}`
  return `${what}, ${kindText(change)}${change.conflict ? ', conflict' : ''}`
}

/** By sign, for the eye. */
function Sums({ counts }: { counts: Counts }) {
  return (
    <span class="sums" title={sumText(counts)}>
      {(['added', 'changed', 'deleted'] as const).map(
        kind =>
          counts[kind] > 0 && (
            <span key={kind} class={kind}>
              {signs[kind]}
              {counts[kind]}
            </span>
          ),
      )}
    </span>
  )
}

function sumText(counts: Counts): string {
  return (['added', 'changed', 'deleted'] as const)
    .filter(kind => counts[kind] > 0)
    .map(kind => `${counts[kind]} ${kind}`)
    .join(', ')
}

/** What has changed in a directory, in words; null where there is none of that path. */
export function countsText(nodes: readonly TreeNode[], path: string): string | null {
  const row = rowsOf(nodes, new Set()).find(({ node }) => node.path === path)
  return row === undefined ? null : sumText(row.node.counts)
}
