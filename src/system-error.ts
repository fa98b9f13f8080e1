import { hintFor } from '../machines/errno-hints.ts'

/** A failure of the operating system, or of Node on its behalf, as a HoldfastError tells it. */
export type SystemError = {
  /** The errno's name; undefined where Node itself refused. */
  readonly errno: string | undefined
  /** Whether it is about what this user, or this program, may do. */
  readonly denied: boolean
  /** What went wrong, in a few words. */
  readonly words: string
  /** What would mend it, where the errno alone says so. */
  readonly hint: string | undefined
}

/** `doing`: what the hints of that are kept under, before those of anything. */
export function systemError(error: unknown, doing = 'anything'): SystemError {
  const { code, message, permission } = (error ?? {}) as NodeJS.ErrnoException & { permission?: string }
  if (code === 'ERR_ACCESS_DENIED')
    return {
      errno: undefined,
      denied: true,
      words: "Node's permission model forbids it",
      hint: `Start this program with ${flags[permission ?? ''] ?? 'what it needs'} beside --permission.`,
    }
  return {
    errno: code === undefined || code.startsWith('ERR_') ? undefined : code,
    denied: code !== undefined && denials.has(code),
    words: message ?? String(error),
    hint: hintFor(doing, code) ?? hintFor('anything', code),
  }
}

const denials = new Set(['EACCES', 'EPERM', 'EROFS'])

const flags: Record<string, string> = {
  FileSystemRead: '--allow-fs-read',
  FileSystemWrite: '--allow-fs-write',
  ChildProcess: '--allow-child-process',
}
