import type { Enforcement, WaitResult } from '../../index.ts'
import { errorDocument } from './error-report.ts'

/** A result as JSON; dates become ISO 8601, an error the same object that a failed command prints. */
export function resultDocument(
  { key, name, id }: { readonly key: string; readonly name: string; readonly id: string },
  { error, ...result }: WaitResult,
  enforcement: readonly Enforcement[],
): unknown {
  return {
    task: { key, name },
    id,
    ...result,
    error: error === null ? null : errorDocument(error),
    enforcement,
  }
}
