/** protobuf's Timestamp and Duration. */
export type Seconds = { readonly seconds: number; readonly nanos: number }

export function timestamp(at: Date): Seconds {
  const seconds = Math.floor(at.getTime() / 1000)
  return { seconds, nanos: (at.getTime() - seconds * 1000) * 1_000_000 }
}

/** Go's zero time, which Nomad's client takes for "not yet": the 1st of January of the year 1. */
export const never: Seconds = { seconds: -62_135_596_800, nanos: 0 }

/** A Duration in milliseconds; null for an absent one. */
export function milliseconds(duration: Seconds | null): number | null {
  return duration === null ? null : duration.seconds * 1000 + duration.nanos / 1_000_000
}
