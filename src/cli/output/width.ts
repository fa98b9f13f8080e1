import { eastAsianWidth } from 'get-east-asian-width'

/**
 * Made when a text is met that needs it, which takes longer than the rest of a command: hence this, and not
 * `string-width`, which makes one as soon as it is loaded.
 */
let segmenter: Intl.Segmenter | undefined

function graphemes(text: string): Intl.SegmentData[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return [...segmenter.segment(text)]
}

/** The columns of a terminal that a line takes. Control characters must be escaped already. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length
  return graphemes(text).reduce((sum, { segment }) => sum + columnsOf(segment), 0)
}

/** As much of a line as goes into so many columns, with `end` in the place of what does not. */
export function fitted(text: string, columns: number, end = '…'): string {
  if (widthOf(text) <= columns) return text
  let room = columns - widthOf(end)
  let shown = ''
  for (const { segment } of graphemes(text)) {
    room -= columnsOf(segment)
    if (room < 0) break
    shown += segment
  }
  return columns < widthOf(end) ? '' : shown + end
}

/** A line with spaces behind it, as wide as so many columns. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}

const emoji = /\p{Emoji_Presentation}|\ufe0f/u

function columnsOf(grapheme: string): number {
  return emoji.test(grapheme) ? 2 : eastAsianWidth(grapheme.codePointAt(0) ?? 0)
}
