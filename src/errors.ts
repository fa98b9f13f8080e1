import type { Failure, FailureCode } from '../machines/index.ts'

export type HoldfastErrorDetails = {
  stage?: string | undefined
  errno?: string | undefined
  path?: string | undefined
  hint?: string | undefined
  cause?: unknown
}

/** Every error this library rejects or throws with. A process that exits 3 is a result, not an error. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError'
  readonly code: FailureCode
  /** The step of a start that failed: `cgroup`, `namespace`, `mount`, `user`, `chdir`, `exec`, ... */
  declare readonly stage?: string
  /** The errno's name, such as `ENOENT`. */
  declare readonly errno?: string
  declare readonly path?: string
  /** What would mend it. */
  declare readonly hint?: string

  constructor(code: FailureCode, message: string, details: HoldfastErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    const { cause: _, ...own } = details
    for (const [key, value] of Object.entries(own))
      if (value !== undefined) Object.assign(this, { [key]: value })
  }
}

export function fromFailure({ code, message, ...details }: Failure): HoldfastError {
  return new HoldfastError(code, message, details)
}
