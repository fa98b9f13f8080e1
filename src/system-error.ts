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

export function systemError(error: unknown): SystemError {
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
    hint: hints[code ?? ''],
  }
}

const denials = new Set(['EACCES', 'EPERM', 'EROFS'])

const flags: Record<string, string> = {
  FileSystemRead: '--allow-fs-read',
  FileSystemWrite: '--allow-fs-write',
  ChildProcess: '--allow-child-process',
}

const hints: Record<string, string> = {
  EMFILE: 'This program has too many open files: raise its limit (ulimit -n, LimitNOFILE), or close some.',
  ENFILE: 'The system has too many open files; raise fs.file-max.',
  ENOMEM: 'There is not enough memory.',
  ENOSPC: 'The file system is full: remove finished tasks with `holdfast rm`, or free space.',
  EDQUOT: 'The disk quota is used up.',
  EFBIG: 'This program may not write files of this size: raise its limit (ulimit -f, LimitFSIZE).',
  EROFS: 'The file system is mounted read-only.',
  ENOTDIR: 'A component of the path is a file.',
  ENAMETOOLONG: 'The path is too long for the file system.',
  EIO: 'The disk fails.',
}
