import { statSync } from 'node:fs'
import { type DiskRefusal, refusalOf, runDisk } from './disk.ts'

/**
 * Project numbers that tasks are given, per file system: as many as users of their own, from the same number
 * on. Other programs that give out projects count from 1 or from 1,048,576 on.
 */
const projectRange = { first: 0x7000_0000, count: 65_536 }

/** Of the trial, in bytes. */
const trialBytes = 64 * 1024

/** Numbers that are tried: who has them is known to the file system alone. */
const maxTries = 64

/**
 * Whether files of this directory's file system can be bound by a project's quota: a file without a name gets
 * a limit, and is written to, as a task would, until it is refused. Remembered where it is so.
 */
export function tryProject(program: string, directory: string): Promise<DiskRefusal | null> {
  const known = `${program} ${statSync(directory).dev}`
  const before = tried.get(known)
  if (before !== undefined) return before
  const answer = anyNumber(number =>
    refusalOf(program, ['project', 'try', `${number}`, `${trialBytes}`, directory]),
  ).then(given => ('step' in given ? given : null))
  tried.set(known, answer)
  // The file system may be mounted with quotas meanwhile.
  const forget = (): boolean => tried.delete(known)
  answer.then(refusal => refusal !== null && forget(), forget)
  return answer
}

const tried = new Map<string, Promise<DiskRefusal | null>>()

/**
 * Makes these directories, of which the first holds the others, a project's, and all that is made in them;
 * `bytes` is what they can store. `chosen` is told each number before it is asked for. It goes on with the
 * one that is `known` from an earlier call.
 */
export function giveProject(
  program: string,
  directories: readonly string[],
  bytes: number,
  { known, chosen }: { readonly known: number | null; readonly chosen: (number: number) => void },
): Promise<Given | DiskRefusal> {
  return anyNumber(number => {
    chosen(number)
    return refusalOf(program, ['project', 'give', `${number}`, `${bytes}`, ...directories])
  }, known)
}

export type Given = { readonly number: number }

/** Another limit, from now on. Step `project` (ESTALE): the directory is not that project's. */
export function limitProject(program: string, number: number, bytes: number, directory: string) {
  return refusalOf(program, ['project', 'limit', `${number}`, `${bytes}`, directory])
}

/** Its files are gone: so is its limit. `directory`: any of that file system. Step `used`: they are not. */
export function freeProject(program: string, number: number, directory: string) {
  return refusalOf(program, ['project', 'free', `${number}`, directory])
}

/** Numbers of the range that have a limit and no file; none where there are no quotas. */
export async function projectsLeft(program: string, directory: string): Promise<readonly number[]> {
  const { first, count } = projectRange
  const { status, output } = await runDisk(program, [
    'project',
    'left',
    `${first}`,
    `${first + count - 1}`,
    directory,
  ])
  return status === 0 ? output.trim().split('\n').filter(Boolean).map(Number) : []
}

/** From anywhere in the range on: of many supervisors each begins elsewhere. */
async function anyNumber(
  ask: (number: number) => Promise<DiskRefusal | null>,
  known: number | null = null,
): Promise<Given | DiskRefusal> {
  const { first, count } = projectRange
  const offset = known === null ? Math.floor(Math.random() * count) : known - first
  let refusal: DiskRefusal = { step: 'taken', errno: 'EEXIST' }
  for (let tries = 0; tries < maxTries && refusal.step === 'taken'; tries++) {
    const number = first + ((offset + tries) % count)
    const refused = await ask(number)
    if (refused === null) return { number }
    refusal = refused
  }
  return refusal
}
