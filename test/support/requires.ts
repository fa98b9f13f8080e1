import { existsSync } from 'node:fs'
import { detectCgroups } from '../../src/platform/linux/cgroup-mode.ts'
import { serviceManager } from '../../src/platform/linux/delegated-scope.ts'
import { hasCgroups } from './host-mode.ts'
import { mayIsolate } from './identity.ts'
import { ordinaryUid, ordinaryUserServes } from './ordinary-user.ts'
import { lacking } from '../../src/powers.ts'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { type ProgramName, programChecks } from './clients/programs.ts'
import { hasProjectQuota } from './project-quota.ts'
import { goProgram, javaProgram, pythonProgram } from './runtimes.ts'

export type Need =
  | 'root'
  | 'isolation'
  | 'ordinary-user'
  | 'linux'
  | 'cgroup-v1'
  | 'cgroup-v2'
  | 'own-cgroup'
  | 'systemd'
  | 'throwaway'
  | 'native'
  | 'disk'
  | 'resize'
  | 'project-quota'
  | 'page'
  | 'chromium'
  | 'java'
  | 'go'
  | 'python3'
  | ProgramName

type Check = {
  readonly met: () => boolean
  readonly how: string
  /** Whether a run on this very host could have met it. */
  readonly possible: () => boolean
}

/** Where distributions put it. CHROMIUM_PATH names another. */
export const chromium = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find(path => path !== '' && existsSync(path))

const formatters = ['/usr/sbin/mkfs.ext4', '/sbin/mkfs.ext4']

const onLinux = () => process.platform === 'linux'

const checks: Readonly<Record<Need, Check>> = {
  linux: { met: onLinux, how: 'run it on Linux', possible: () => false },
  root: {
    met: () => process.geteuid?.() === 0,
    how: 'run it as root (sudo npx mocha ...)',
    possible: onLinux,
  },
  isolation: {
    met: mayIsolate,
    how: 'run it as root, or where an ordinary user may make user namespaces; `holdfast doctor` says how',
    possible: onLinux,
  },
  'ordinary-user': {
    met: ordinaryUserServes,
    how: `put the clone where user ${ordinaryUid} may read it, on a host where it may make user namespaces (unshare --user true)`,
    possible: () => false,
  },
  'cgroup-v1': {
    met: () => detectCgroups().v1.has('memory'),
    how: 'boot with systemd.unified_cgroup_hierarchy=0, or mount -t cgroup -o memory',
    possible: () => false,
  },
  'cgroup-v2': {
    met: () => detectCgroups().v2?.controllers.has('memory') ?? false,
    how: 'boot with systemd.unified_cgroup_hierarchy=1',
    possible: () => false,
  },
  'own-cgroup': {
    met: hasCgroups,
    how: 'run it as root, or as a user whose `systemd --user` runs on cgroup v2: npm run test:vm',
    possible: () => false,
  },
  page: {
    met: () => existsSync(new URL('../../dist/web/app.js', import.meta.url)),
    how: 'npm run build',
    possible: () => true,
  },
  chromium: {
    met: () => chromium !== undefined,
    how: 'apt-get install chromium, or set CHROMIUM_PATH',
    possible: onLinux,
  },
  java: {
    met: () => javaProgram() !== undefined,
    how: 'apt-get install openjdk-17-jre-headless',
    possible: () => false,
  },
  go: {
    met: () => goProgram() !== undefined,
    how: 'install Go 1.25 or newer, on the PATH or in /usr/local/go',
    possible: () => false,
  },
  python3: {
    met: () => pythonProgram() !== undefined,
    how: 'apt-get install python3',
    possible: () => false,
  },
  ...programChecks,
  systemd: {
    met: () => serviceManager() !== null,
    how: 'run it where systemd is PID 1, as root or as a user with `systemd --user`: npm run test:vm',
    possible: () => false,
  },
  throwaway: {
    met: () => process.env.HOLDFAST_THROWAWAY_HOST === '1',
    how: 'it changes the host (swap, mounts of cgroups): npm run test:vm',
    possible: () => false,
  },
  disk: {
    met: () => existsSync('/dev/loop-control') && formatters.some(path => existsSync(path)),
    how: 'apt-get install e2fsprogs; modprobe loop',
    possible: () => false,
  },
  resize: {
    met: () => lacking(['CAP_SYS_RESOURCE'], process.geteuid?.() ?? -1).length === 0,
    how: 'run it as root with CAP_SYS_RESOURCE: npm run test:vm',
    possible: () => false,
  },
  'project-quota': {
    met: hasProjectQuota,
    how: 'it mounts a file system with quotas, for which this kernel needs CONFIG_QFMT_V2: npm run test:vm',
    possible: () => false,
  },
  native: {
    met: () => 'path' in nativeProgram(),
    how: 'npm run build (needs a C compiler)',
    possible: onLinux,
  },
}

/**
 * Call it first in a test or hook: `requires(this, 'root', 'cgroup-v1')`. Skips, saying what is missing and
 * how to get it; under CI a skip that this host could have avoided is a failure.
 */
export function requires(context: Mocha.Context, ...needs: Need[]): void {
  const missing = needs.filter(need => !checks[need].met())
  const reason = missingOf(needs)
  if (reason === null) return
  const title = context.test?.fullTitle() ?? 'a test'
  if (process.env.CI === 'true' && missing.every(need => checks[need].possible()))
    throw new Error(`skipped under CI, though this host could run it: ${title} needs ${reason}`)
  process.stderr.write(`SKIPPED ${title}: needs ${reason}\n`)
  context.skip()
}

/** What this host lacks of it, and how to get it; null: nothing. */
export function missingOf(needs: readonly Need[]): string | null {
  const missing = needs.filter(need => !checks[need].met())
  return missing.length === 0 ? null : missing.map(need => `${need} (${checks[need].how})`).join(', ')
}

/** A test whose subject is root's alone: another user as the task's, device nodes, real capabilities. */
export function asRoot(body: () => Promise<void>): Mocha.AsyncFunc {
  return function (this: Mocha.Context) {
    requires(this, 'root')
    return body()
  }
}
