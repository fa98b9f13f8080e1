/** Whether a value read from a file is what its type says. */
export type Check = (value: unknown) => boolean

export const isText: Check = value => typeof value === 'string'
export const isNumber: Check = value => typeof value === 'number' && Number.isFinite(value)
export const isBoolean: Check = value => typeof value === 'boolean'
export const orNull =
  (check: Check): Check =>
  value =>
    value === null || check(value)
/** A field that earlier versions did not write. */
export const orAbsent =
  (check: Check): Check =>
  value =>
    value === undefined || check(value)
export const shape =
  (checks: Record<string, Check>): Check =>
  value =>
    isRecord(value) && Object.entries(checks).every(([name, check]) => check(value[name]))
export const listOf =
  (check: Check): Check =>
  value =>
    Array.isArray(value) && value.every(check)

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
