const bars = '▁▂▃▄▅▆▇█'

/** One bar a value, from 0 to `full` or the largest of them if that is more; a gap for what is not known. */
export function sparkline(values: readonly (number | null)[], full: number): string {
  const max = Math.max(full, ...values.map(value => value ?? 0))
  return values
    .map(value =>
      value === null ? ' ' : bars[Math.min(bars.length - 1, Math.floor((value / max) * bars.length))],
    )
    .join('')
}
