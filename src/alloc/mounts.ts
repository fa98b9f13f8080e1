import { readFile } from 'node:fs/promises'
import { errnoOf } from './failure.ts'

/**
 * The mount points at or below `path` (absolute, without links) in this process's mount namespace; none where
 * there is no /proc.
 */
export async function mountsWithin(path: string, table = '/proc/self/mountinfo'): Promise<string[]> {
  let text: string
  try {
    text = await readFile(table, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
  return mountPoints(text).filter(
    point => point === path || point.startsWith(path === '/' ? path : `${path}/`),
  )
}

/**
 * The mount points of a mountinfo text: its fifth field, in which space, tab, newline and backslash are octal
 * (proc_pid_mountinfo(5)).
 */
export function mountPoints(mountinfo: string): string[] {
  return mountinfo.split('\n').flatMap(line => {
    const point = line.split(' ')[4]
    return point === undefined ? [] : [unescapeOctal(point)]
  })
}

/** An escape is a byte: several in a row may be one character of UTF-8. */
export function unescapeOctal(text: string): string {
  return text.replace(/(?:\\[0-7]{3})+/g, run => {
    const bytes = run.slice(1).split('\\')
    return Buffer.from(bytes.map(digits => Number.parseInt(digits, 8))).toString()
  })
}
