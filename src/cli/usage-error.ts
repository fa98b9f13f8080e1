type Details = { hint?: string | undefined; path?: string | undefined; errno?: string | undefined }

/**
 * A mistake in the command line: as a HoldfastError to who reads it, but without the library, which `--help`
 * does not load.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'INVALID_ARGUMENT'
  /** What to write instead. */
  declare readonly hint?: string
  declare readonly path?: string
  declare readonly errno?: string

  constructor(message: string, details: Details = {}) {
    super(message)
    for (const [name, value] of Object.entries(details))
      if (value !== undefined) Object.assign(this, { [name]: value })
  }
}
