/**
 * `major:minor`, as /sys/dev has it: gnu_dev_major and gnu_dev_minor of glibc, for the 32 bits that Linux
 * uses.
 */
export function deviceNumber(device: number): string {
  return `${(device >>> 8) & 0xfff}:${(device & 0xff) | ((device >>> 12) & 0xfff00)}`
}
