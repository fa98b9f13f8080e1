import { statSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'

/** Throws INVALID_ARGUMENT for what is not there. */
export function existing(source: string): string {
  if (statSync(source, { throwIfNoEntry: false })) return source
  throw new HoldfastError('INVALID_ARGUMENT', `mounts: ${source} does not exist`, {
    path: source,
    stage: 'mount',
    errno: 'ENOENT',
  })
}

/** Throws INVALID_ARGUMENT for what is no device. */
export function deviceNode(device: string): string {
  const stats = statSync(device, { throwIfNoEntry: false })
  if (stats?.isCharacterDevice() || stats?.isBlockDevice()) return device
  throw new HoldfastError('INVALID_ARGUMENT', `devices: ${device} is not a device node`, {
    path: device,
    stage: 'mount',
    ...(stats === undefined && { errno: 'ENOENT' }),
    hint: 'name a node such as /dev/fuse',
  })
}
