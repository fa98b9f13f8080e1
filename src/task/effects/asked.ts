import type { AskedOfKernel } from '../../../machines/index.ts'
import type { LaunchSpec } from '../../spawn/spec.ts'

/** Of all that a shim is told, what can be read back of the task afterwards. */
export function askedOf(spec: LaunchSpec): AskedOfKernel {
  const { credentials, namespaces, networkPath, capabilities, noNewPrivileges, seccomp, rlimits } = spec
  return {
    credentials,
    namespaces,
    networkPath,
    capabilities,
    noNewPrivileges,
    seccomp,
    rlimits,
  }
}
