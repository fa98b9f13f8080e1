import { useMemo, useState } from 'preact/hooks'
import { ChangeDiff } from './change-diff.tsx'
import { ChangeTree, countsText } from './change-tree-view.tsx'
import { treeOf } from './change-tree.ts'
import type { Row } from './types.ts'
import { useChanges } from './use-changes.ts'

/** What the task has changed in its workspace, where that is kept apart: a tree, and what is in a file. */
export function ChangesPanel({ row }: { row: Row }) {
  const [asked, ask] = useState(0)
  const [chosen, choose] = useState<string | null>(null)
  const { list, error, round } = useChanges(row, asked)
  const tree = useMemo(() => treeOf(list?.changes ?? []), [list])
  const change = list?.changes.find(({ path }) => path === chosen) ?? null
  const count = list === null ? null : list.changes.length + list.left
  return (
    <section class="panel changes" aria-labelledby="changes">
      <div class="heading">
        <h3 id="changes">Changes in its workspace</h3>
        <span class="count" role="status" data-testid="change-count">
          {count !== null && (count === 1 ? '1 change' : `${count.toLocaleString('en')} changes`)}
        </span>
        <button type="button" onClick={() => ask(asked + 1)}>
          Read again
        </button>
      </div>
      {error !== null && (
        <p class="skipped" role="alert">
          They cannot be read: {error}
        </p>
      )}
      {list === null || count === 0 ? (
        error === null && (
          <p class="nothing">{list === null ? 'Loading …' : 'It has changed nothing, or it was applied.'}</p>
        )
      ) : (
        <div class="tree-and-diff">
          <ChangeTree nodes={tree} chosen={chosen} choose={choose} />
          <ChangeDiff
            task={row.key}
            path={chosen}
            change={change}
            summary={chosen === null ? null : countsText(tree, chosen)}
            round={round}
          />
          {(list.left ?? 0) > 0 && (
            <p class="skipped">
              {list.left === 1 ? '1 more is' : `${list.left.toLocaleString('en')} more are`} not shown:{' '}
              <code>holdfast diff {row.key}</code>
            </p>
          )}
        </div>
      )}
    </section>
  )
}
