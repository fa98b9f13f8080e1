import { useEffect, useState } from 'preact/hooks'
import { setToken } from './connection.ts'
import { List } from './list.tsx'
import { stayConnected, useStore } from './store.ts'
import { TaskView } from './task-view.tsx'
import { applyTheme, currentTheme, type Theme } from './theme.ts'

export function App({ hasToken }: { hasToken: boolean }) {
  const { link, rows } = useStore()
  const [selected, select] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(hasToken ? 1 : 0)
  useEffect(() => {
    if (attempt === 0) return
    const control = new AbortController()
    void stayConnected(control.signal)
    return () => control.abort()
  }, [attempt])
  const row = selected === null ? undefined : rows.get(selected)
  const running = [...rows.values()].filter(({ state }) => state === 'running').length
  useEffect(() => {
    document.title = rows.size === 0 ? 'holdfast' : `${running} running – holdfast`
  }, [running, rows.size])
  if (attempt === 0 || link === 'refused') {
    const enter = (text: string): void => {
      setToken(text)
      setAttempt(attempt + 1)
    }
    return <Gate refused={link === 'refused'} enter={enter} key={attempt} />
  }
  return (
    <div class={`app ${row === undefined ? 'browsing' : 'looking'}`}>
      <header class="bar">
        <img src="/icon.svg" alt="" width="26" height="26" />
        <h1>holdfast</h1>
        <span class={`link ${link}`} role="status" data-link={link}>
          {{ live: 'live', connecting: 'connecting …', broken: 'reconnecting …' }[link]}
        </span>
        <ThemeSwitch />
      </header>
      <List selected={selected} select={select} />
      <main class="task" aria-label="Task" tabIndex={-1}>
        {row === undefined ? (
          <p class="nothing">
            {rows.size === 0
              ? 'No task yet. Those that are started appear here.'
              : 'Choose a task from the list.'}
          </p>
        ) : (
          <TaskView row={row} back={() => select(null)} key={row.key} />
        )}
      </main>
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
