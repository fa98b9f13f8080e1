import { bestPlatform } from '../../src/platform/index.ts'
import { detectCgroups } from '../../src/platform/linux/cgroup-mode.ts'
import { serviceManager } from '../../src/platform/linux/delegated-scope.ts'

/**
 * The ways to run an isolated task, by whom and on what host: for each there is one run of the contract
 * somewhere.
 */
export const linuxModes = [
  'linux v1',
  'linux v2',
  'systemd root',
  'systemd user',
  'rootless without delegation',
] as const

export type LinuxMode = (typeof linuxModes)[number]

/** Which of them this host and this user make; null where there are no isolated tasks at all. */
export function linuxMode(): LinuxMode | null {
  if (bestPlatform() !== 'linux') return null
  const manager = serviceManager()
  const { mode } = detectCgroups()
  if (process.geteuid?.() !== 0)
    return manager?.bus === 'user' && mode === 'v2' ? 'systemd user' : 'rootless without delegation'
  if (mode !== 'v2') return 'linux v1'
  return manager === null ? 'linux v2' : 'systemd root'
}

/** Whether an isolated task's limits can be kept here: there is a cgroup for it. */
export function hasCgroups(): boolean {
  const mode = linuxMode()
  return mode !== null && mode !== 'rootless without delegation'
}

/** Where each is run. */
export const whereRun: Readonly<Record<LinuxMode, string>> = {
  'linux v1': 'as root on a host with cgroup v1 (or hybrid)',
  'linux v2': 'npm run test:vm, machine cgroup2',
  'systemd root': 'npm run test:vm, machine systemd as root',
  'systemd user': 'npm run test:vm, machine systemd as tester',
  'rootless without delegation': 'as an ordinary user without `systemd --user`',
}
