import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

/** Rows beyond the edges, so that a fast scroll shows no gap. */
const margin = 8

/** A box that scrolls through rows of one height, of which only those in sight are drawn. */
export function useViewport(rowHeight: number) {
  const box = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(600)
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setHeight(entry?.contentRect.height ?? 600))
    if (box.current !== null) observer.observe(box.current)
    return () => observer.disconnect()
  }, [])
  const scrolled = (): void => setTop(box.current?.scrollTop ?? 0)
  return {
    box,
    scrolled,
    /** Rows that a page key goes on by. */
    page: Math.max(1, Math.floor(height / rowHeight) - 1),
    /** Which of so many rows are drawn. */
    within(rows: number): { first: number; count: number } {
      const last = Math.max(0, rows - Math.ceil(height / rowHeight))
      const first = Math.max(0, Math.min(last, Math.floor(top / rowHeight)) - margin)
      return { first, count: Math.ceil(height / rowHeight) + 2 * margin }
    },
    /** Scrolls until that row is in sight. */
    reveal(at: number): void {
      const view = box.current
      if (view === null) return
      if (at * rowHeight < view.scrollTop) view.scrollTop = at * rowHeight
      else if ((at + 1) * rowHeight > view.scrollTop + view.clientHeight)
        view.scrollTop = (at + 1) * rowHeight - view.clientHeight
      scrolled()
    },
  }
}

/**
 * As tall as all rows would be. By the style object, which a content security policy lets through, unlike a
 * style attribute.
 */
export function Runway({ height, children }: { height: number; children: ComponentChildren }) {
  return (
    <div class="runway" role="presentation" style={{ height: `${height}px` }}>
      {children}
    </div>
  )
}
