import { linkSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Enforcement, Resources } from '../api.ts'
import { temporaryName } from './task-directory.ts'

/** The limits of a task since the last update. */
export type UpdatedLimits = {
  readonly revision: number
  readonly resources: Resources
  readonly enforcement: readonly Enforcement[]
}

const pattern = /^limits\.(\d{1,9})\.json$/

/**
 * Limits that have been changed do not stand in task.json, which every supervisor of the task writes from what it remembers, but in a file of
 * their own for each change, of which only the last counts. Null: they are what the task was started with, or the directory is gone.
 */
export function readLimits(dir: string): UpdatedLimits | null {
  for (let attempt = 0; attempt < 10; attempt++) {
    const newest = revisions(dir)[0]
    if (newest === undefined) return null
    try {
      return parse(readFileSync(pathOf(dir, newest), 'utf8'), newest)
    } catch (error) {
      // Two later ones have come in between, and it is gone.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return null
}

/** False when somebody else has made this revision: then theirs counts, and whoever asked begins anew from it. */
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
  for (const older of revisions(dir)) if (older < revision - 1) remove(pathOf(dir, older))
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
  const { resources, enforcement } = JSON.parse(text) as Omit<UpdatedLimits, 'revision'>
  return { revision, resources, enforcement }
}

function pathOf(dir: string, revision: number): string {
  return join(dir, `limits.${revision}.json`)
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    // Another supervisor was quicker.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
