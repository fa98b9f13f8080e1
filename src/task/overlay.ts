import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { errnoOf } from '../alloc/failure.ts'
import { removeTree } from '../alloc/remove.ts'
import type { Change, FilePatch, PatchOptions } from '../api.ts'
import { type WorkspaceAsked, workspaceOf } from '../command/workspace.ts'
import { HoldfastError } from '../errors.ts'
import { overlayDirectory } from '../platform/overlay-place.ts'
import type { TaskRequest } from '../platform/port.ts'
import { nativeMissing } from '../spawn/native-hint.ts'
import { nativeProgram } from '../spawn/native-program.ts'
import {
  applyOverlay,
  cleanOverlay,
  overlayChanges,
  type OverlayAnswer,
  type OverlayEntry,
} from '../spawn/overlay.ts'
import { overlayContents } from '../spawn/overlay-contents.ts'
import { readStart } from '../spawn/records.ts'
import { overlayConflict, overlayFailure } from './overlay-failure.ts'

/** What a task has changed in its workspace, where that is an overlay. */
export class TaskOverlay {
  readonly #workspace: WorkspaceAsked | null
  readonly #dir: string
  readonly #directory: string

  /** `dir` is the task's record directory. */
  constructor(request: TaskRequest, dir: string) {
    this.#workspace = workspaceOf(request.command)
    this.#dir = dir
    this.#directory = overlayDirectory(request, dir)
  }

  /** Throws INVALID_STATE where it has none. */
  async changes(): Promise<Change[]> {
    const { path } = this.#require('changes')
    if (this.#holdsNothing()) return []
    const answer = await overlayChanges(native(), this.#directory, path)
    return succeeded(answer, path).entries.map(changeOf)
  }

  /** Each file by itself, as it is asked for. */
  async *patches({ paths, maxFileBytes }: Required<PatchOptions>): AsyncGenerator<FilePatch, void> {
    const { path } = this.#require('patches')
    if (this.#holdsNothing()) return
    const { patchOf } = await import('./file-patch.ts')
    const asked = { maxFileBytes, paths: paths.map(knownPart).filter(part => part !== '') }
    const isAsked = (each: string): boolean => paths.length === 0 || paths.some(one => isIn(each, one))
    // What one name cannot narrow down, none does.
    const only = asked.paths.length < paths.length ? { ...asked, paths: [] } : asked
    for await (const told of overlayContents(native(), this.#directory, path, only)) {
      if ('step' in told) throw overlayFailure(told, path)
      const change = changeOf(told.entry)
      const patch = isAsked(change.path) ? patchOf(told) : null
      if (patch !== null) yield { change, ...patch }
      // The task chooses how many there are, and how large.
      await turn()
    }
  }

  /** What was put in place, which is no change any more. */
  async apply(force: boolean): Promise<Change[]> {
    const { path } = this.#require('apply')
    if (this.#holdsNothing()) return []
    const { done, entries } = succeeded(await applyOverlay(native(), this.#directory, path, force), path)
    if (!done)
      throw overlayConflict(
        path,
        entries.filter(({ conflict }) => conflict).map(entry => changeOf(entry).path),
      )
    await this.#forget()
    return entries.filter(({ type }) => type !== 'o').map(changeOf)
  }

  /**
   * Before it is forgotten: what an apply that was killed has left in the workspace, as far as that can still
   * be reached.
   */
  async clean(): Promise<void> {
    if (!this.#workspace?.overlay || !existsSync(this.#path('unfinished'))) return
    const program = nativeProgram()
    if ('path' in program) await cleanOverlay(program.path, this.#directory, this.#workspace.path)
  }

  /** In one step: what is half forgotten would read as deleted. */
  async #forget(): Promise<void> {
    const applied = this.#path('applied')
    try {
      await removeTree(applied)
      renameSync(this.#path('upper'), applied)
      await removeTree(applied)
    } catch (error) {
      // The file system of a task that ended before the host was started anew: what is applied is no longer
      // different.
      if (errnoOf(error) !== 'EROFS') throw error
    }
  }

  /** It was applied, or the task has never seen it. */
  #holdsNothing(): boolean {
    const isMade = existsSync(this.#path('base'))
    if (isMade || readStart(this.#dir) === null) return !isMade || !existsSync(this.#path('upper'))
    throw new HoldfastError('STATE_CORRUPT', 'what the task has changed in its workspace is gone', {
      path: this.#directory,
    })
  }

  #require(call: string): WorkspaceAsked {
    if (this.#workspace?.overlay) return this.#workspace
    throw new HoldfastError(
      'INVALID_STATE',
      `${call}() is refused: the workspace of the task is no overlay, and what it has written there is in place`,
      { hint: 'start it with workspace: { path, overlay: true } (-w DIR --overlay)' },
    )
  }

  #path(name: 'upper' | 'base' | 'applied' | 'unfinished'): string {
    return join(this.#directory, name)
  }
}

function succeeded(answer: OverlayAnswer, path: string): OverlayAnswer {
  if (answer.failure !== null) throw overlayFailure(answer.failure, path)
  return answer
}

/** Up to the first name that has something in the place of its bytes. */
function knownPart(path: string): string {
  const names = path.split('/')
  const unknown = names.findIndex(name => name.includes('\ufffd'))
  return unknown < 0 ? path : names.slice(0, unknown).join('/')
}

function isIn(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}/`)
}

const kinds = { A: 'added', M: 'changed', D: 'deleted' } as const
const types = { f: 'file', d: 'directory', l: 'link', o: 'other' } as const

function changeOf({ kind, type, path, mode, size, link, conflict }: OverlayEntry): Change {
  return {
    path: path.toString(),
    kind: kinds[kind],
    type: types[type],
    mode,
    sizeBytes: type === 'f' ? size : null,
    target: type === 'l' && kind !== 'D' ? link.toString() : null,
    conflict,
  }
}

function native(): string {
  const program = nativeProgram()
  if ('unavailable' in program) throw nativeMissing(program.unavailable)
  return program.path
}
