import { win32 } from 'node:path'

/**
 * Whether it says where it is, whatever directory and drive are current. On Windows `\name` and `C:name` do
 * not.
 */
export function isAbsoluteHere(path: string, platform: string = process.platform): boolean {
  if (platform !== 'win32') return path.startsWith('/')
  return win32.isAbsolute(path) && /^(?:[A-Za-z]:[\\/]|[\\/]{2}[^\\/])/.test(path)
}
