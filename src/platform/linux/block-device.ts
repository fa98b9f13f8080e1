import { existsSync, readlinkSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { deviceNumber } from '../../device-numbers.ts'
import { HoldfastError } from '../../errors.ts'
import { invalidArgument } from '../../invalid-argument.ts'

/**
 * A block device's path or `major:minor` as `major:minor`. Throws INVALID_ARGUMENT for anything else, and for
 * partitions, which cannot be throttled.
 */
export function blockDeviceNumber(device: string, sys = '/sys'): string {
  const number = /^\d+:\d+$/.test(device) ? device : numberOf(device)
  const entry = `${sys}/dev/block/${number}`
  if (existsSync(`${entry}/partition`)) {
    const disk = basename(dirname(readlinkSync(entry)))
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `io.device: got ${device}, which is a partition; the kernel throttles whole disks`,
      {
        path: device,
        hint: `use /dev/${disk}`,
      },
    )
  }
  return number
}

function numberOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats?.isBlockDevice())
    throw invalidArgument('io.device', Symbol(path), "a block device's path or major:minor", { path })
  return deviceNumber(stats.rdev)
}
