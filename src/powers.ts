import { readFileSync } from 'node:fs'
import { capabilityNames } from './command/capabilities.ts'

type Capability = (typeof capabilityNames)[number]

/**
 * Which of these capabilities are not in effect for this process. Being user 0 is not power: containers,
 * services and `setpriv` take it away piece by piece. `uid` is this process's own; where /proc does not say,
 * user 0 has all and everybody else none.
 */
export function lacking(capabilities: readonly Capability[], uid: number, proc = '/proc'): Capability[] {
  const effective = effectiveOf(proc)
  if (effective === null) return uid === 0 ? [] : [...capabilities]
  return capabilities.filter(name => ((effective >> BigInt(capabilityNames.indexOf(name))) & 1n) === 0n)
}

/** To start a process as somebody else, and to look after it and its files afterwards. */
export const toBecomeAnybody: readonly Capability[] = [
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_KILL',
]

/** To isolate a task on the host itself, without a user namespace. */
export const toIsolate: readonly Capability[] = [
  'CAP_SYS_ADMIN',
  ...toBecomeAnybody,
  'CAP_SETPCAP',
  'CAP_MKNOD',
]

function effectiveOf(proc: string): bigint | null {
  try {
    const [, digits] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(`${proc}/self/status`, 'latin1')) ?? []
    return digits === undefined ? null : BigInt(`0x${digits}`)
  } catch {
    return null
  }
}
