import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StopTarget } from '../../index.ts'

/** What has to be known of a Nomad task before its start is asked for: the agent may never hear of it. */
export type TaskRecord = {
  readonly v: 1
  /** Nomad's: `<allocation>/<task>/<chance>`, another one for each start. */
  readonly id: string
  /** Holdfast's, in the state directory of the record. */
  readonly key: string
  readonly allocId: string
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Who gets the stop signal. Default: the leader, as with Nomad's own drivers. */
  readonly stopTarget?: StopTarget
}

/**
 * The records of one state directory, a file for each start. A file is named after the allocation's task,
 * then after the start, so that both are found without reading any other. Nothing is removed but by remove():
 * another plugin process may be about to need it.
 */
export class TaskRecords {
  readonly #directory: string

  constructor(stateDir: string) {
    this.#directory = join(stateDir, 'nomad')
  }

  /** Throws what the file system does. */
  write(record: TaskRecord): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    const path = join(this.#directory, fileName(record))
    const temporary = `${path}.${process.pid}.tmp`
    writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 })
    renameSync(temporary, path)
  }

  /** By Nomad's id. */
  find(id: string): TaskRecord | null {
    return this.#read(name => name.endsWith(`-${digest(id)}.json`)).find(record => record.id === id) ?? null
  }

  /** All starts of the same task of the same allocation. */
  of({ allocId, name }: Pick<TaskRecord, 'allocId' | 'name'>): readonly TaskRecord[] {
    const prefix = `${digest(`${allocId}/${name}`)}-`
    return this.#read(file => file.startsWith(prefix) && file.endsWith('.json')).filter(
      record => record.allocId === allocId && record.name === name,
    )
  }

  remove(record: TaskRecord): void {
    try {
      unlinkSync(join(this.#directory, fileName(record)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  #read(matches: (name: string) => boolean): TaskRecord[] {
    return this.#names()
      .filter(matches)
      .flatMap(name => parse(join(this.#directory, name)) ?? [])
  }

  #names(): string[] {
    try {
      return readdirSync(this.#directory)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }
}

function fileName({ id, allocId, name }: TaskRecord): string {
  return `${digest(`${allocId}/${name}`)}-${digest(id)}.json`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

/** Null: it has just been removed, or is not one of ours. */
function parse(path: string): TaskRecord | null {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as TaskRecord
    return record.v === 1 && typeof record.id === 'string' && typeof record.key === 'string' ? record : null
  } catch {
    return null
  }
}
