import { execaSync } from 'execa'
import type { Skipped } from '../contender.ts'

/** The first line of `program --version`, or null when it is not on PATH. */
export function versionOf(program: string): string | null {
  const { failed, stdout } = execaSync(program, ['--version'], { reject: false })
  return failed ? null : (stdout.split('\n')[0] ?? '')
}

/** Why a peer that isolates cannot run here; null when it can. */
export function obstacle(name: string, program: string, version: string | null): Skipped | null {
  if (process.platform !== 'linux') return { name, reason: 'it is for Linux' }
  if (version === null) return { name, reason: `${program} is not on PATH` }
  if (process.geteuid?.() !== 0) return { name, reason: 'measured as root only, as our isolation is' }
  return null
}

/**
 * Runs it once: a host may have what a peer refuses (crun: cgroup2 mounted beside cgroup v1 with controllers
 * of its own).
 */
export function refused(name: string, program: string, args: readonly string[]): Skipped | null {
  const { failed, stderr, shortMessage } = execaSync(program, args, { reject: false })
  return failed ? { name, reason: `it refuses: ${stderr || shortMessage}` } : null
}
