import { spawn } from 'node:child_process'
import { readlinkSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** Lines as user_namespaces(7) has them: the first number inside, the first outside, how many. */
export type Maps = { readonly users: string; readonly groups: string; readonly setgroups?: 'deny' }

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/**
 * Runs a program as root of a user namespace with these maps, and a mount namespace of its own. Only root
 * can.
 */
export async function asRootOf(
  { users, groups, setgroups }: Maps,
  program: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Ended> {
  // Only by exec with its number mapped does it get its capabilities back.
  const script = 'read go; exec "$@" < /dev/null'
  const child = spawn(
    'unshare',
    ['--user', '--mount', '--propagation=unchanged', 'sh', '-c', script, 'sh', ...program],
    {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  while (child.exitCode === null && hasOurs(child.pid)) await sleep(5)
  const map = (name: string, value: string) => writeFileSync(`/proc/${child.pid}/${name}`, value)
  if (setgroups) map('setgroups', setgroups)
  map('uid_map', users)
  map('gid_map', groups)
  child.stdin.end('go\n')
  const [stdout, stderr] = await said
  return { code: await ended, stdout, stderr }
}

function hasOurs(pid: number | undefined): boolean {
  return readlinkSync(`/proc/${pid}/ns/user`) === readlinkSync('/proc/self/ns/user')
}
