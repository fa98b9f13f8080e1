import { readdirSync, readFileSync } from 'node:fs'

/** The files below a directory that are loop devices now. */
export function loopsOf(directory: string): string[] {
  return readdirSync('/sys/block')
    .filter(name => /^loop\d+$/.test(name))
    .map(backingFile)
    .filter(file => file.startsWith(directory))
}

function backingFile(name: string): string {
  try {
    return readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').trim()
  } catch {
    // Of no file, or no more.
    return ''
  }
}
