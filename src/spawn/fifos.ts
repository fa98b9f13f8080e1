import { spawnSync } from 'node:child_process'
import { defaultPath } from '../default-path.ts'
import { errnoName } from '../errno-name.ts'
import { nativeProgram } from './native-program.ts'

/**
 * Makes FIFOs, 0600. Node has no mkfifo(3): the native program makes them, or mkfifo(1) where there is none.
 * Throws an error of stage `record` with the errno's name as its `code`, as Node's own have it: ENOSYS where
 * there is neither.
 */
export function makeFifos(...paths: readonly string[]): void {
  const native = nativeProgram()
  const [program, ...args] = 'path' in native ? [native.path, 'fifo'] : ['mkfifo', '-m', '600']
  const { error, status, stderr } = spawnSync(program, [...args, ...paths], {
    cwd: '/',
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? defaultPath, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (error === undefined && status === 0) return
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
    throw failure('no mkfifo(1) on PATH, and no native program', 'ENOSYS')
  const words = error?.message ?? stderr.trim()
  throw failure(words, (error as NodeJS.ErrnoException | undefined)?.code ?? errnoIn(words))
}

function failure(message: string, code: string | undefined): Error {
  return Object.assign(new Error(message), { stage: 'record' }, code !== undefined && { code })
}

/**
 * By its number from the native program; by its words from mkfifo(1), of which only the commonest are told.
 */
function errnoIn(words: string): string | undefined {
  const [, number] = /^(\d+) /.exec(words) ?? []
  if (number !== undefined) return errnoName(Number(number))
  return /exists$/.test(words) ? 'EEXIST' : undefined
}
