import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'

/** What may lie in the place of a record and is no plain file of a sane size. */
export const plantedInstead: Readonly<Record<string, (path: string) => unknown>> = {
  'a FIFO': path => execFileSync('mkfifo', [path]),
  'a directory': path => mkdirSync(path),
  'a link to a device': path => symlinkSync('/dev/zero', path),
  'a sparse file of 10 GiB': path => {
    writeFileSync(path, '')
    truncateSync(path, 10 * 1024 ** 3)
  },
}
