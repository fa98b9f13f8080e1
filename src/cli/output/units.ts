const sizes = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `4.2 MiB`; `-` for what is not known. */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return '-'
  let unit = 0
  let value = bytes
  // 1023.95 and above would be shown as 1024.0.
  while (value >= 1023.95 && unit < sizes.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1).replace(/\.0$/, '')} ${sizes[unit]}`
}

/** `12 ms`, `3.4 s`, `5m 7s`, `2h 3m`, `4d 5h`; `-` for what is not known. */
export function timeText(milliseconds: number | null): string {
  if (milliseconds === null) return '-'
  if (milliseconds < 999.5)
    return `${milliseconds < 10 ? Number(milliseconds.toFixed(1)) : Math.round(milliseconds)} ms`
  if (milliseconds < 59_950) return `${Number((milliseconds / 1000).toFixed(1))} s`
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 3600) return pair(seconds, 60, 'm', 's')
  if (seconds < 86_400) return pair(Math.floor(seconds / 60), 60, 'h', 'm')
  return pair(Math.floor(seconds / 3600), 24, 'd', 'h')
}

function pair(amount: number, base: number, large: string, small: string): string {
  const rest = amount % base
  return `${Math.floor(amount / base)}${large}${rest === 0 ? '' : ` ${rest}${small}`}`
}
