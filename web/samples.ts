/** Cpu is of one core, in per cent, since the sample before; null where it is not known. */
export type Sample = { readonly at: number; readonly cpu: number | null; readonly memory: number | null }

const maxSamples = 600
/**
 * Samples come each second. What is further apart was not measured in between: a broken connection, nobody
 * looking on, a sleeping host.
 */
const maxGapMs = 3500

/**
 * Appends what was measured, with a hole before it where time has passed in which nothing was: a chart draws
 * no line through a hole.
 */
export function addSample(samples: Sample[], sample: Sample): void {
  const last = samples.at(-1)
  const afterGap = last !== undefined && sample.at - last.at > maxGapMs
  if (afterGap) samples.push({ at: last.at + 1, cpu: null, memory: null })
  // The average over all of the gap would look like a reading of its end.
  samples.push(afterGap ? { ...sample, cpu: null } : sample)
  if (samples.length > maxSamples) samples.splice(0, samples.length - maxSamples)
}
