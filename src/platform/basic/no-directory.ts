import { statSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'

/** Throws INVALID_ARGUMENT where a workspace is no directory. */
export function refuseNoDirectory(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isDirectory()) return
  const [errno, wrong] =
    stats === undefined ? ['ENOENT', 'does not exist'] : ['ENOTDIR', 'is not a directory']
  throw new HoldfastError('INVALID_ARGUMENT', `workspace: ${path} ${wrong}`, {
    ...{ path, errno, stage: 'chdir' },
    hint: 'make it first, or name one that is there (-w DIR)',
  })
}
