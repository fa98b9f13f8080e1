import { spawn } from 'node:child_process'
import { readlinkSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { compiled } from './compiled.ts'
import { ordinaryUid } from './ordinary-user.ts'

type Said = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** The command line of holdfast. */
export function holdfastProgram(): string[] {
  return [process.execPath, compiled('src/cli/main.ts')]
}

/**
 * Runs a program as an ordinary user whom this host gives no user namespace: in one whose limit of further
 * ones is 0 (user.max_user_namespaces is kept for each by itself), with root's numbers and everybody else's
 * mapped to themselves. Only what is run by the same call is in the same one.
 */
export async function runWithoutUserNamespace(
  home: string,
  program: readonly string[],
  input: string | Uint8Array = '',
): Promise<Said> {
  const inner = `echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --reuid ${ordinaryUid} --regid ${ordinaryUid} --clear-groups "$@"`
  // A second shell: only by exec with its number mapped does it get its capabilities back.
  const outer = `read go; exec sh -c '${inner}' sh "$@"`
  const child = spawn('unshare', ['--user', 'sh', '-c', outer, 'sh', ...program], {
    cwd: packageRoot,
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, HOLDFAST_STATE_DIR: `${home}/state` },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  while (readlinkSync(`/proc/${child.pid}/ns/user`) === readlinkSync('/proc/self/ns/user')) await sleep(10)
  for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${map}`, '0 0 70000')
  child.stdin.write('go\n')
  child.stdin.end(input)
  const [stdout, stderr] = await said
  return { code: await ended, stdout, stderr }
}

/** With another native program. */
export function holdfastBy(native: string): string[] {
  return ['env', `HOLDFAST_NATIVE=${native}`, ...holdfastProgram()]
}

export async function holdfastWithout(home: string, ...args: string[]): Promise<Said> {
  return runWithoutUserNamespace(home, [...holdfastProgram(), ...args])
}
