import { invalidArgument } from '../invalid-argument.ts'

/**
 * Every Linux capability; its number is its place here (include/uapi/linux/capability.h, unchanged since
 * 5.9).
 */
export const capabilityNames = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const

export const takesCapability = 'a Linux capability such as CAP_NET_BIND_SERVICE'

/** A capability's number, by its name in any case, `CAP_` or not; null for none of that name. */
export function capabilityNumber(name: string): number | null {
  const upper = name.toUpperCase()
  const number = capabilityNames.findIndex(known => known === upper || known === `CAP_${upper}`)
  return number === -1 ? null : number
}

/**
 * The numbers of the named capabilities, ascending, each once. Throws INVALID_ARGUMENT for an unknown name.
 */
export function capabilityNumbers(names: readonly string[]): number[] {
  const numbers = names.map((name, index) => {
    const number = capabilityNumber(name)
    if (number === null) throw invalidArgument(`command.capabilities[${index}]`, name, takesCapability)
    return number
  })
  return [...new Set(numbers)].sort((a, b) => a - b)
}
