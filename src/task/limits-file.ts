import { linkSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Enforcement, Resources } from '../api.ts'
import { parseResources } from '../command/validate.ts'
import { HoldfastError } from '../errors.ts'
import { unlinkIfThere } from '../if-there.ts'
import { readBounded } from './bounded-file.ts'
import { temporaryName } from './task-directory.ts'

/** The limits of a task since the last update. */
export type UpdatedLimits = {
  readonly revision: number
  readonly resources: Resources
  readonly enforcement: readonly Enforcement[]
}

/** Rows and limits of one task take a few KiB. */
const maxBytes = 1024 * 1024

const pattern = /^limits\.(\d{1,9})\.json$/

/**
 * Limits that have been changed do not stand in task.json, which every supervisor of the task writes from
 * what it remembers, but in a file of their own for each change, of which only the last counts. Null: they
 * are what the task was started with, or the directory is gone.
 * Throws STATE_CORRUPT for one that cannot be believed: which limits hold is not guessed.
 */
export function readLimits(dir: string): UpdatedLimits | null {
  for (let attempt = 0; attempt < 10; attempt++) {
    const newest = revisions(dir)[0]
    if (newest === undefined) return null
    try {
      return parse(readBounded(pathOf(dir, newest), maxBytes), newest)
    } catch (error) {
      // Two later ones have come in between, and it is gone.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw damaged(pathOf(dir, newest), error)
    }
  }
  return null
}

/**
 * False when somebody else has made this revision: then theirs counts, and whoever asked begins anew from it.
 */
export function writeLimits(dir: string, { revision, ...limits }: UpdatedLimits): boolean {
  const temporary = join(dir, temporaryName('limits'))
  writeFileSync(temporary, JSON.stringify({ format: 'holdfast.limits', version: 1, ...limits }), {
    mode: 0o600,
  })
  try {
    // A link, unlike a rename, takes nobody's place.
    linkSync(temporary, pathOf(dir, revision))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(temporary)
  }
  // The one before is left to those who have just learned its name.
  for (const older of revisions(dir)) if (older < revision - 1) unlinkIfThere(pathOf(dir, older))
  return true
}

/** Newest first. */
function revisions(dir: string): number[] {
  try {
    const names = readdirSync(dir).flatMap(name => pattern.exec(name)?.[1] ?? [])
    return names.map(Number).sort((one, other) => other - one)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function parse(text: string, revision: number): UpdatedLimits {
  const stored = JSON.parse(text) as Partial<Omit<UpdatedLimits, 'revision'>> | null
  const enforcement: unknown = stored?.enforcement
  if (!Array.isArray(enforcement) || !enforcement.every(isRow)) throw new Error('it has no enforcement rows')
  return { revision, resources: parseResources(stored?.resources), enforcement }
}

function isRow(row: unknown): row is Enforcement {
  if (typeof row !== 'object' || row === null) return false
  const { kind, name, status } = row as Record<string, unknown>
  return [kind, name, status].every(word => typeof word === 'string')
}

/** What readBounded says of it stays; all else is one thing: the file cannot be used. */
function damaged(path: string, error: unknown): HoldfastError {
  if (error instanceof HoldfastError && error.code === 'STATE_CORRUPT') return error
  const { code, message } = error as NodeJS.ErrnoException
  return new HoldfastError('STATE_CORRUPT', `${path} cannot be used: ${message}`, {
    path,
    errno: error instanceof HoldfastError ? undefined : code,
    cause: error,
    hint: 'Nothing was changed; without the file, `holdfast update` sets the limits anew.',
  })
}

function pathOf(dir: string, revision: number): string {
  return join(dir, `limits.${revision}.json`)
}
