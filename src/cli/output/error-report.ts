import { escaped } from './escape.ts'
import { printJson } from './printing.ts'
import { systemError } from '../../system-error.ts'
import { colorsFor } from './terminal.ts'

/**
 * What a HoldfastError says, and whatever else was thrown. Looked at by shape, so that a usage mistake needs
 * no library.
 */
type Reported = {
  readonly code?: unknown
  readonly message: string
  readonly stage?: unknown
  readonly errno?: unknown
  readonly path?: unknown
  readonly hint?: unknown
}

/** Says what went wrong: for people on standard error; with `json` as the one document on standard output. */
export function reportError(error: unknown, options: { readonly json: boolean }): void {
  if (options.json) printJson({ error: errorDocument(error) })
  else process.stderr.write(errorText(error))
}

export function errorDocument(error: unknown): Record<string, string> {
  const { code, message, stage, errno, path, hint } = shape(error)
  const details = Object.entries({ stage, errno, path, hint }).filter(
    ([, value]) => typeof value === 'string',
  )
  return { code: typeof code === 'string' ? code : 'INTERNAL', message, ...Object.fromEntries(details) }
}

export function errorText(error: unknown, colors = colorsFor(process.stderr)): string {
  const { message, hint } = errorDocument(error)
  const lines = [`${colors.red('holdfast:')} ${escaped(message ?? '')}`]
  if (hint !== undefined) lines.push(`  ${colors.cyan('hint:')} ${escaped(hint)}`)
  return `${lines.join('\n')}\n`
}

function shape(error: unknown): Reported {
  if (typeof error === 'object' && error !== null && 'message' in error)
    return isSystemError(error) ? systemReport(error) : (error as Reported)
  return { message: String(error) }
}

/**
 * What the operating system, or Node, refused somewhere where nobody has said it in better words: a module
 * that could not be loaded, above all.
 */
function systemReport(error: NodeJS.ErrnoException): Reported {
  const { errno, denied, words, hint } = systemError(error)
  return { code: denied ? 'PERMISSION' : 'INVALID_STATE', message: words, errno, path: error.path, hint }
}

function isSystemError(error: object): error is NodeJS.ErrnoException {
  const { code } = error as NodeJS.ErrnoException
  return (
    code === 'ERR_ACCESS_DENIED' ||
    (!('name' in error && error.name === 'HoldfastError') && /^E[A-Z0-9]+$/.test(String(code)))
  )
}
