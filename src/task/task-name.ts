import { basename } from 'node:path'

/** The program's own name, made fit to be a task's: it becomes a directory, a log file and a host name. */
export function defaultTaskName(path: string): string {
  const name = basename(path)
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 64)
  return /^\.*$/.test(name) || name === 'alloc' ? 'task' : name
}
