import { useEffect, useState } from 'preact/hooks'
import { getJson } from './connection.ts'
import { bytesText, visible } from './text.ts'
import type { ChangePatch, ChangePatches, ChangeRow } from './types.ts'

type Props = {
  task: string
  /** What is looked at; null: nothing yet. */
  path: string | null
  /** Null: a directory that is there as it was, or what has changed no more. */
  change: ChangeRow | null
  /** Of a directory, what has changed in it. */
  summary: string | null
  /** With another one it is read again. */
  round: number
}

/** What is in a file now, and what was: read when it is looked at. */
export function ChangeDiff({ task, path, change, summary, round }: Props) {
  const { patches, error } = usePatches(task, change?.id ?? null, round)
  const title = path === null ? 'No file is chosen' : visible(path)
  return (
    <div class="diff" role="region" aria-label={`Difference: ${title}`} tabIndex={0} data-testid="diff">
      {path === null ? (
        <p class="nothing">Choose a file to see what has changed in it.</p>
      ) : (
        <>
          <h4>{title}</h4>
          <p class="about">
            {change === null ? (summary ?? 'It is no change any more.') : aboutText(change)}
          </p>
        </>
      )}
      {error !== null && <p class="skipped">It cannot be read: {error}</p>}
      {patches?.files.map(file => (
        <File key={file.path} file={file} named={file.path !== path} />
      ))}
      {patches?.left === true && <p class="skipped">There are more files, which are not shown.</p>}
    </div>
  )
}

function usePatches(task: string, id: string | null, round: number) {
  type Read = { id: string | null; patches: ChangePatches | null; error: string | null }
  const [read, set] = useState<Read>({ id: null, patches: null, error: null })
  useEffect(() => {
    if (id === null) return
    const control = new AbortController()
    getJson<ChangePatches>(`/api/tasks/${task}/changes/${id}`, control.signal).then(
      patches => set({ id, patches, error: null }),
      (error: Error) => {
        if (!control.signal.aborted) set({ id, patches: null, error: error.message })
      },
    )
    return () => control.abort()
  }, [task, id, round])
  // What was read of another file is not this one's.
  return read.id === id && id !== null ? read : { patches: null, error: null }
}

function aboutText({ kind, type, sizeBytes, target, conflict }: ChangeRow): string {
  const what = type === 'other' ? 'FIFO, socket or device, which is never put in place' : type
  return [
    `${kind} ${what}`,
    ...(sizeBytes === null ? [] : [bytesText(sizeBytes)]),
    ...(target === null ? [] : [`leads to ${visible(target)}`]),
    ...(conflict ? ['it has changed on the host, too'] : []),
  ].join(' · ')
}

const reasons: Readonly<Record<NonNullable<ChangePatch['omitted']>, string>> = {
  binary: 'It is binary.',
  large: 'It is larger than 1 MiB.',
  unreadable: 'It cannot be read.',
  special: 'It has no contents that could be shown.',
  mode: 'Its permission bits alone have changed.',
}

/** Line by line: the sign stands before each, and what a task has written is text and stays text. */
function File({ file: { path, text, omitted, cut }, named }: { file: ChangePatch; named: boolean }) {
  return (
    <div class="file">
      {named && <h5>{visible(path)}</h5>}
      {text === null ? (
        <p class="nothing">{omitted === null ? 'Nothing differs.' : reasons[omitted]}</p>
      ) : (
        <pre>
          {linesOf(text).map(({ kind, line }, index) => (
            <span class={`diff-line ${kind}`} key={index}>
              {line.split('\t').map(visible).join('\t')}
              {'\n'}
            </span>
          ))}
        </pre>
      )}
      {cut && <p class="skipped">It goes on, which is not shown.</p>}
    </div>
  )
}

type LineKind = 'head' | 'hunk' | 'plus' | 'minus' | 'same'

/** Git's names and numbers are left out: of what stands before the first hunk, modes alone. */
function linesOf(text: string): { readonly kind: LineKind; readonly line: string }[] {
  let isHead = true
  return text.split('\n').flatMap(line => {
    if (line.startsWith('diff --git ')) isHead = true
    if (line.startsWith('@@')) isHead = false
    if (isHead) return /^(new|old|deleted) /.test(line) ? [{ kind: 'head' as const, line }] : []
    return [{ kind: kindOf(line), line }]
  })
}

function kindOf(line: string): LineKind {
  const kinds: Readonly<Record<string, LineKind>> = { '@': 'hunk', '+': 'plus', '-': 'minus', '\\': 'head' }
  return kinds[line[0] ?? ''] ?? 'same'
}
