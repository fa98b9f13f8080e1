import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Change, Command, Executor } from '../../src/index.ts'
import { isRoot } from './identity.ts'
import type { Workbench } from './workbench.ts'

/** Whose the directories are, where the test may choose. */
const somebody = 64_913

export type Project = {
  readonly path: string
  readonly owner: { readonly uid: number; readonly gid: number }
}

/** A directory with these files; somebody else's, where the test may give it away. */
export function projectOf(
  bench: Workbench,
  files: Readonly<Record<string, string>>,
  uid = somebody,
): Project {
  const path = join(bench.directory('overlay'), 'project')
  mkdirSync(path)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  if (isRoot) execFileSync('chown', ['-R', `${uid}:${uid}`, join(path, '..')])
  const { uid: owner, gid } = statSync(path)
  return { path, owner: { uid: owner, gid } }
}

/** A shell script in an overlay over it; not started. */
export function overlaid(
  bench: Workbench,
  { path }: Pick<Project, 'path'>,
  script: string,
  more: Partial<Command> = {},
): Executor {
  const task = bench.shell(script)
  Object.assign(task.command, { workspace: { path, overlay: true }, ...more })
  return task
}

/** `A path` and so on, sorted by path. */
export function wordsOf(changes: readonly Change[]): string[] {
  return [...changes]
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .map(({ kind, path, type }) => `${kind} ${path}${type === 'file' ? '' : ` ${type}`}`)
}

/** Every entry of a directory, with its mode, owner, size and contents: whether a byte of it has changed. */
export function stateOf(directory: string): string {
  const find = 'find . -printf "%p %y %m %U %G %s %T@ %l\\n" | sort; find . -type f -exec cksum {} + | sort'
  return execFileSync('/bin/sh', ['-c', find], { cwd: directory, encoding: 'utf8' })
}
