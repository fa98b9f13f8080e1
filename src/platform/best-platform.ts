import type { PlatformName } from './port.ts'

/**
 * What `command()` gives: on Linux the Linux executor, always. Where there is no native program its start is
 * refused, and what this host does not give is a row; nothing falls back to less unasked.
 */
export function bestPlatform(): PlatformName {
  return process.platform === 'linux' ? 'linux' : 'basic'
}
