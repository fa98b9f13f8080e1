import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The host's programs whose reading of limits is tested, in directories that a task is shown. */
export const javaProgram = (): string | undefined =>
  found([...directoriesIn('/usr/lib/jvm').map(home => join(home, 'bin')), '/usr/bin'], 'java')

export const pythonProgram = (): string | undefined => found(['/usr/bin', '/usr/local/bin'], 'python3')

/** The first version whose runtime reads the quota is 1.25. */
export function goProgram(): string | undefined {
  const path = found([...(process.env.PATH ?? '').split(':'), '/usr/local/go/bin'], 'go')
  const [, minor = '0'] = /go1\.(\d+)/.exec(path === undefined ? '' : run(path, 'env', 'GOVERSION')) ?? []
  return Number(minor) >= 25 ? path : undefined
}

function found(directories: readonly string[], name: string): string | undefined {
  return directories.map(directory => join(directory, name)).find(path => existsSync(path))
}

function directoriesIn(path: string): string[] {
  return existsSync(path) ? readdirSync(path).map(name => join(path, name)) : []
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' })
}
