import { type Element, element, serialize } from './drawing.ts'

/** The drawing as a file of its own: with its style sheet, for light and dark. */
export function standaloneSvg(drawing: Element): string {
  const { tag, attributes, children } = drawing
  const paper = element('rect', { class: 'paper', width: '100%', height: '100%' })
  return `${serialize({ tag, attributes, children: [element('style', {}, [style]), paper, ...children] })}\n`
}

const style = `
.chart{--paper:#fff;--ink:#1b2430;--faint:#5c6875;--line:#8794a3;--frame:#c3ccd6;--fill:#f5f7f9;font:12px system-ui,sans-serif}
@media (prefers-color-scheme:dark){.chart{--paper:#12171e;--ink:#e6ebf1;--faint:#9aa7b5;--line:#6b7a8b;--frame:#3a4653;--fill:#1b222b}}
.paper{fill:var(--paper)}
.state rect{fill:var(--fill);stroke:var(--frame);stroke-width:1.5}
.state .inner{fill:none}
.name{fill:var(--ink);font-weight:600;font-size:14px;text-anchor:middle}
.outer .name{text-anchor:start}
.outer rect{fill:none}
.detail,.any text{fill:var(--faint);font-size:11px}
.label{fill:var(--ink);font-size:11.5px}
.rule{stroke:var(--frame);fill:none}
.line{stroke:var(--line);stroke-width:1.5;fill:none}
.head,.start{fill:var(--line)}
.any rect{fill:none;stroke:var(--line);stroke-dasharray:4 3}
.any text{text-anchor:middle}
`
