import { basename } from 'node:path'
import { isReserved } from '../command/windows-names.ts'

/** The program's own name, made fit to be a task's: it becomes a directory, a log file and a host name. */
export function defaultTaskName(path: string): string {
  const name = basename(path)
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 64)
  if (process.platform === 'win32') return windowsTaskName(name)
  return /^\.*$/.test(name) || name === 'alloc' ? 'task' : name
}

/** Without the ending that every program has there, and none of the names that Windows keeps for devices. */
function windowsTaskName(name: string): string {
  const plain = name.replace(/\.(?:exe|com)$/i, '').replace(/[. ]+$/, '')
  return plain === '' || isReserved(plain) || plain.toLowerCase() === 'alloc' ? 'task' : plain
}
