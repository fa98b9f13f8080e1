const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `-` for what is not known. */
export function bytesText(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return '–'
  let unit = 0
  let value = bytes
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`
  return `${Math.floor(seconds / 86_400)}d ${Math.floor((seconds % 86_400) / 3600)}h`
}

export function percentText(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : `${value.toFixed(value < 10 ? 1 : 0)} %`
}

export function timeText(at: number | string): string {
  const date = new Date(at)
  const pad = (number: number, digits = 2): string => String(number).padStart(digits, '0')
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`
}

/**
 * Characters that are not seen, or turn the direction of others, are written out: no name may pass for
 * another.
 */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, character => {
    const code = (character.codePointAt(0) ?? 0).toString(16)
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`
  })
}

/** What was asked for, as a row of `enforcement` has it: bytes and milliseconds in units that one reads. */
export function requestedText({
  name,
  requested,
}: {
  readonly name: string
  readonly requested: string
}): string {
  const isNumber = /^\d+$/.test(requested)
  if (isNumber && name.endsWith('Bytes')) return bytesText(Number(requested))
  if (isNumber && name.endsWith('Ms')) return durationText(Number(requested))
  return visible(requested)
}
