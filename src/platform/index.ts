import { nativeProgram } from '../spawn/native-program.ts'
import { basicPlatform } from './basic/basic-platform.ts'
import { kernelFeatures } from './linux/kernel-features.ts'
import { linuxPlatform } from './linux/linux-platform.ts'
import type { Platform, PlatformName } from './port.ts'

export { delegatedScope as spawnerScope } from './linux/delegated-scope.ts'
export type { HostReport, HostRow } from './host.ts'
export { fingerprint } from './host.ts'
export type { Plan, Platform, PlatformName, TaskPaths, TaskRequest } from './port.ts'

const makers: Readonly<Record<PlatformName, () => Platform>> = { basic: basicPlatform, linux: linuxPlatform }
const made = new Map<PlatformName, Platform>()

/** One per process: a platform remembers what the host offers. */
export function platform(name: PlatformName): Platform {
  const known = made.get(name) ?? makers[name]()
  made.set(name, known)
  return known
}

/** `linux` where it can do its work: as root, with the native program, on a kernel with mount and pid namespaces. */
export function bestPlatform(): PlatformName {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0 || 'unavailable' in nativeProgram())
    return 'basic'
  const { namespaces } = kernelFeatures()
  return namespaces.has('mount') && namespaces.has('pid') ? 'linux' : 'basic'
}
