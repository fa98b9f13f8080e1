import { existsSync } from 'node:fs'

/** What a check needs of its system beside the library: not every system has it. */
export type Trait =
  | 'signals'
  | 'modes'
  | 'sessions'
  | 'interpreters'
  | 'fifos'
  | 'descriptors'
  | 'one-pipe'
  | 'links'
  | 'unix-environment'
  | 'proc'
  | 'usage'

const noUnix: Partial<Record<Trait, string>> = {
  signals: 'Windows has no signals: a program is killed, or hears the end of its input',
  modes: 'Windows has no file modes and no umask',
  sessions: 'Windows has no sessions and no process groups',
  interpreters: 'Windows runs no file by the #! of its first line',
  fifos: 'Windows has no FIFOs and no sockets that are descriptors',
  descriptors: 'Windows has no /dev/stdout and no /dev/fd',
  'one-pipe': 'on Windows each stream has a pipe of its own, so that both in one file have no common order',
  links: 'a link needs a privilege on Windows',
  'unix-environment': 'what a program of Windows inherits is another: test/windows/basic.ts',
}

/** Wine shows the host's /proc to who looks for it: what is there is of no Windows process. */
const hasProc = process.platform !== 'win32' && existsSync('/proc/self')

const noProc: Partial<Record<Trait, string>> = {
  proc: 'there is no /proc to look into',
  usage: 'there is no /proc, and no ps(1) that could tell',
  ...(process.platform === 'linux' && { descriptors: 'without /proc there is no /dev/stdout' }),
}

const lacking: Partial<Record<Trait, string>> = {
  ...(process.platform === 'win32' && noUnix),
  ...(!hasProc && noProc),
}

/** Why a check that needs these cannot run on this system; null: it can. */
export function missingTrait(traits: readonly Trait[]): string | null {
  return traits.map(trait => lacking[trait]).find(reason => reason !== undefined) ?? null
}
