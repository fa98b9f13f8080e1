/** Made when it is first needed: it takes as long as all the rest of `--help`. */
let segmenter: Intl.Segmenter | undefined

function graphemes(text: string): Intl.SegmentData[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return [...segmenter.segment(text)]
}

/** What a terminal draws over two columns: wide and fullwidth characters of East Asia, and emoji. */
const wide =
  /[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u

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

function columnsOf(grapheme: string): number {
  return wide.test(grapheme) ? 2 : 1
}
