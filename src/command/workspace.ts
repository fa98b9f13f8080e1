import { posix } from 'node:path'
import type { Command, Workspace } from '../api.ts'

/**
 * As asked for: where the directory is on the host, and in the task. Without `.`, and without a slash at its
 * end.
 */
export type WorkspaceAsked = {
  readonly path: string
  readonly readOnly: boolean
  readonly overlay: boolean
}

/** Null: the command has none. */
export function workspaceOf({ workspace }: Readonly<Pick<Command, 'workspace'>>): WorkspaceAsked | null {
  if (workspace === undefined) return null
  const asked: Workspace = typeof workspace === 'string' ? { path: workspace } : workspace
  const { path, readOnly = false, overlay = false } = asked
  // A drive of Windows has its own way of being spelt.
  const clean = path.startsWith('/') ? posix.join(path, '.') : path
  return { path: clean.length > 1 ? clean.replace(/\/$/, '') : clean, readOnly, overlay }
}

/** For a row of `enforcement`. */
export function wordsOf({ path, readOnly, overlay }: WorkspaceAsked): string {
  if (overlay) return `${path}, overlay`
  return readOnly ? `${path}, read-only` : path
}
