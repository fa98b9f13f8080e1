import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { FileTarget } from '../spawn/spec.ts'

/** Changes of a log's directory, one inotify watch for all readers of all logs in it. */
export class LogWatch {
  #watcher: FSWatcher | null = null

  /**
   * `onChange` for every change of the log, and some others. It is only a hint: a watch there is none of, or
   * one that misses something, says nothing.
   */
  constructor({ base, path }: FileTarget, onChange: () => void) {
    const full = base === null ? path : join(base, path)
    const name = basename(full)
    try {
      this.#watcher = watch(dirname(full), { persistent: false }, (_, changed) => {
        if (changed === null || changed === name || changed.startsWith(`${name}.`)) onChange()
      })
      this.#watcher.on('error', () => this.close())
    } catch {
      // Too many watches (fs.inotify.max_user_watches), or no directory yet.
    }
  }

  get works(): boolean {
    return this.#watcher !== null
  }

  close(): void {
    this.#watcher?.close()
    this.#watcher = null
  }
}
