/**
 * The value below which the share `p` (0 to 1) of the sample lies, between neighbours by proportion. NaN for
 * no sample.
 */
export function quantile(sample: readonly number[], p: number): number {
  const sorted = [...sample].sort((a, b) => a - b)
  const at = (sorted.length - 1) * p
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export function median(sample: readonly number[]): number {
  return quantile(sample, 0.5)
}

export type Summary = { readonly median: number; readonly low: number; readonly high: number }

/** Median and quartiles. */
export function summary(sample: readonly number[]): Summary {
  return { median: median(sample), low: quantile(sample, 0.25), high: quantile(sample, 0.75) }
}

/**
 * The median, and between which it lies with 95 % certainty, however the values are spread: by their ranks
 * (the binomial's, as a normal distribution).
 */
export function medianOf(sample: readonly number[]): Summary {
  const reach = 0.98 / Math.sqrt(sample.length)
  return {
    median: median(sample),
    low: quantile(sample, Math.max(0, 0.5 - reach)),
    high: quantile(sample, Math.min(1, 0.5 + reach)),
  }
}

/**
 * Pairwise: the n-th value over the n-th of the base, both from the same round, so that a drift of the
 * machine cancels out.
 */
export function ratios(values: readonly number[], base: readonly number[]): number[] {
  return values.map((value, round) => value / (base[round] ?? Number.NaN))
}
