import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { packageRoot } from '../../src/spawn/native-program.ts'

/**
 * The native program under the address and undefined behaviour sanitizers, built where it is not there yet.
 */
export const sanitizedProgram = join(packageRoot, 'build/native/holdfast-native-asan')

/** For a `before` hook: skips where it cannot be built, with the reason; in CI that is a failure. */
export function requireSanitized(context: Context): void {
  if (process.platform !== 'linux') context.skip()
  const built = spawnSync(process.execPath, [join(packageRoot, 'scripts/build-native.mjs'), '--sanitize'], {
    encoding: 'utf8',
  })
  // Requiring a compiler here would fail the tests of those who use the portable path on purpose.
  if (built.status !== 0 && process.env.CI === undefined) {
    console.warn(`    skipped: ${built.stderr.trim()}; install gcc with libasan to run these`)
    context.skip()
  }
  assert.equal(built.status, 0, built.stderr)
}
