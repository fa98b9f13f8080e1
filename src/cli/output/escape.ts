/**
 * Names, commands and messages come from whoever started a task: control characters could rewrite the
 * terminal, and invisible or direction-changing ones make one name look like another.
 */
const hostile = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** The text with every such character written out, as `\x1b` or `\u{202e}`. */
export function escaped(text: string): string {
  return text.replace(hostile, character => {
    const code = character.codePointAt(0) ?? 0
    const hex = code.toString(16)
    return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`
  })
}

/**
 * One JSON document. JSON.stringify leaves most of those characters as they are; within strings it may say
 * them otherwise.
 */
export function json(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(hostile, character =>
    character === '\n' ? character : utf16(character),
  )
}

/** The same on one line, for streams. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(hostile, utf16)
}

function utf16(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  }).join('')
}
