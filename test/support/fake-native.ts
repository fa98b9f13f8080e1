import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from './temporary.ts'
import { withVariable } from './variable.ts'

/**
 * A shell script in the place of the native program while `body` runs: `answer` is what it does, and `calls`
 * what it was asked, a line a call.
 */
export function withFakeNative(
  answer: string,
  body: (calls: () => readonly string[]) => Promise<unknown>,
): Promise<void> {
  const dir = temporaryDirectory('fake-native')
  const [program, log] = [join(dir, 'holdfast-native'), join(dir, 'calls')]
  writeFileSync(program, `#!/bin/sh\necho "$*" >>'${log}'\n${answer}\n`)
  chmodSync(program, 0o755)
  const calls = () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [])
  return withVariable('HOLDFAST_NATIVE', program, async () => {
    await body(calls)
  })
}
