import { accessSync, constants } from 'node:fs'

/** Whether this user may execute the file: not where its file system is mounted noexec, either. */
export function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
