export type Theme = 'auto' | 'light' | 'dark'

const storageKey = 'holdfast-theme'

export function currentTheme(): Theme {
  const stored = localStorage.getItem(storageKey)
  return stored === 'light' || stored === 'dark' ? stored : 'auto'
}

export function applyTheme(theme: Theme = currentTheme()): void {
  localStorage.setItem(storageKey, theme)
  document.documentElement.dataset.theme = theme
  // What is drawn on a canvas has to be told.
  dispatchEvent(new Event('holdfast-theme'))
}
