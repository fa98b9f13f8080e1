import { posix } from 'node:path'
import type { Command } from '../api.ts'

/**
 * As asked for: where the directory is on the host, and in the task. Without `.`, and without a slash at its
 * end.
 */
export type WorkspaceAsked = { readonly path: string; readonly readOnly: boolean }

/** Null: the command has none. */
export function workspaceOf({ workspace }: Readonly<Pick<Command, 'workspace'>>): WorkspaceAsked | null {
  if (workspace === undefined) return null
  const { path, readOnly = false } = typeof workspace === 'string' ? { path: workspace } : workspace
  // A drive of Windows has its own way of being spelt.
  const clean = path.startsWith('/') ? posix.join(path, '.') : path
  return { path: clean.length > 1 ? clean.replace(/\/$/, '') : clean, readOnly }
}

/** For a row of `enforcement`. */
export function wordsOf({ path, readOnly }: WorkspaceAsked): string {
  return readOnly ? `${path}, read-only` : path
}
