import { execFile } from 'node:child_process'

/**
 * Whether a directory can be shown with its owner's files as another user's: see src/spawn/native/idmap.c.
 */
export type Mappable = {
  /** 0, or the errno of what was refused. */
  readonly refused: number
  /** Also what is mounted beneath it. */
  readonly all: boolean
}

/** Has the native program try. Null when it cannot be run. */
export function mappable(program: string, directory: string): Promise<Mappable | null> {
  return new Promise(resolve => {
    execFile(
      program,
      ['map', directory],
      { env: {}, cwd: '/', encoding: 'utf8', timeout: 10_000 },
      (error, stdout) => resolve(error === null ? parsed(stdout) : null),
    )
  })
}

function parsed(text: string): Mappable | null {
  try {
    return JSON.parse(text) as Mappable
  } catch {
    return null
  }
}
