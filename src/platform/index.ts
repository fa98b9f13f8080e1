import { basicPlatform } from './basic/basic-platform.ts'
import { probeTree } from './basic/sample.ts'
import { ownAccess } from './linux/access.ts'
import { linuxPlatform } from './linux/linux-platform.ts'
import type { Platform, PlatformName } from './port.ts'

export { delegatedScope as spawnerScope } from './linux/delegated-scope.ts'
export { bestPlatform } from './best-platform.ts'
export { rulesRow } from './rows.ts'
export { rotationOf } from './streams.ts'
export type { Platform, PlatformName } from './port.ts'

const makers: Readonly<Record<PlatformName, () => Platform>> = {
  basic: basicPlatform,
  linux: () => linuxPlatform({ probeProcesses: probeTree }),
}
const made = new Map<PlatformName, Platform>()

/** One per process: a platform remembers what the host offers. */
export function platform(name: PlatformName): Platform {
  const known = made.get(name) ?? makers[name]()
  made.set(name, known)
  return known
}

/**
 * Whether its tasks are forked from inside a user namespace, which tasks of other platforms are not to be in.
 */
export function isRootless(name: PlatformName): boolean {
  return name === 'linux' && ownAccess().right === 'user-namespace'
}
