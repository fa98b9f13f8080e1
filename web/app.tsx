import { useEffect, useState } from 'preact/hooks'
import { setToken, takeToken } from './connection.ts'
import { List } from './list.tsx'
import { stayConnected, useStore } from './store.ts'
import { TaskView } from './task-view.tsx'
import { visible } from './text.ts'
import { applyTheme, currentTheme, type Theme } from './theme.ts'
import type { Row } from './types.ts'
import { useAddress } from './use-address.ts'

export function App({ hasToken }: { hasToken: boolean }) {
  const { link, rows, loaded } = useStore()
  const [address, go] = useAddress()
  // Counts, so that to enter the same task again is to go there again.
  const [entered, enter] = useState(0)
  const [attempt, setAttempt] = useState(hasToken ? 1 : 0)
  useEffect(() => {
    if (attempt === 0) return
    const control = new AbortController()
    void stayConnected(control.signal)
    return () => control.abort()
  }, [attempt])
  useEffect(() => {
    // Another address of the inspector's in the same tab: the browser loads nothing anew.
    const take = (): void => {
      if (location.hash.includes('token=') && takeToken()) setAttempt(count => count + 1)
    }
    addEventListener('hashchange', take)
    return () => removeEventListener('hashchange', take)
  }, [])
  const row = address.task === null ? undefined : rows.get(address.task)
  useTitle(row)
  if (attempt === 0 || link === 'refused') {
    const open = (text: string): void => {
      setToken(text)
      setAttempt(attempt + 1)
    }
    return <Gate refused={link === 'refused'} enter={open} key={attempt} />
  }
  const back = (): void => {
    go({ task: null })
    // The list has to be there before it can be gone to.
    setTimeout(() => document.querySelector<HTMLElement>('.rows')?.focus())
  }
  return (
    <div class={`app ${address.task === null ? 'browsing' : 'looking'}`}>
      <header class="bar">
        <img src="/icon.svg" alt="" width="26" height="26" />
        <h1>holdfast</h1>
        <span class={`link ${link}`} role="status" data-link={link}>
          {{ live: 'live', connecting: 'connecting …', broken: 'reconnecting …' }[link]}
        </span>
        <ThemeSwitch />
      </header>
      <List
        selected={address.task}
        choice={address.choice}
        choose={choice => go({ choice })}
        open={(task, wanted) => {
          enter(count => (wanted ? count + 1 : 0))
          go({ task })
        }}
      />
      <main class="task" aria-label="Task" tabIndex={-1}>
        {row !== undefined ? (
          <TaskView row={row} back={back} entered={entered} key={row.key} />
        ) : (
          <NoTask wanted={address.task} loaded={loaded} empty={rows.size === 0} back={back} />
        )}
      </main>
    </div>
  )
}

/** What the tab says of it: the task that is looked at, or how many run. */
function useTitle(row: Row | undefined): void {
  const { rows } = useStore()
  const running = [...rows.values()].filter(({ state }) => state === 'running').length
  const about = row === undefined ? `${running} running` : `${visible(row.name)} ${row.state}`
  useEffect(() => {
    document.title = rows.size === 0 ? 'holdfast' : `${about} – holdfast`
  }, [about, rows.size])
}

type NoTaskProps = { wanted: string | null; loaded: boolean; empty: boolean; back: () => void }

function NoTask({ wanted, loaded, empty, back }: NoTaskProps) {
  if (!loaded) return <p class="nothing">Loading …</p>
  if (wanted === null)
    return (
      <p class="nothing">
        {empty ? 'No task yet. Those that are started appear here.' : 'Choose a task from the list.'}
      </p>
    )
  return (
    <div class="nothing" role="status">
      <p>
        There is no task <code>{visible(wanted)}</code> here: it was removed, or is of another state
        directory.
      </p>
      <button type="button" onClick={back}>
        All tasks
      </button>
    </div>
  )
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(currentTheme())
  const next = ({ auto: 'light', light: 'dark', dark: 'auto' } as const)[theme]
  const change = (to: Theme): void => {
    applyTheme(to)
    setTheme(to)
  }
  return (
    <button
      type="button"
      class="quiet theme"
      onClick={() => change(next)}
      aria-label={`Theme: ${theme}. Change to ${next}`}
    >
      <span aria-hidden="true">{{ auto: '◐', light: '☀', dark: '☾' }[theme]}</span> {theme}
    </button>
  )
}

function Gate({ refused, enter }: { refused: boolean; enter: (text: string) => void }) {
  const [text, setText] = useState('')
  return (
    <main class="gate">
      <h1>holdfast</h1>
      <p role={refused ? 'alert' : undefined}>
        {refused
          ? 'This server does not take the token of this page. It was probably started anew: open the address that it has printed.'
          : 'Open the address that was printed at the start of the inspector; it ends with a token. Or paste it here.'}
      </p>
      <form
        onSubmit={event => {
          event.preventDefault()
          enter(text)
        }}
      >
        <label>
          Address or token
          <input
            type="password"
            autocomplete="off"
            value={text}
            onInput={event => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Open
        </button>
      </form>
    </main>
  )
}
