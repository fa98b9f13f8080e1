import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { toolchains } from '../../../src/command/toolchains.ts'

/** A Node whose fetch() takes the proxy of the environment: this one, or that of HOLDFAST_TEST_NODE. */
export const nodeOfProxies = once(() =>
  [process.env.HOLDFAST_TEST_NODE ?? '', process.execPath].find(
    path => existsSync(path) && succeeds(path, '--use-env-proxy', '-e', ''),
  ),
)

const how = {
  openssl: 'apt-get install openssl (3.0 or newer)',
  curl: 'apt-get install curl',
  git: 'apt-get install git',
  npm: 'put the npm of Node on the PATH',
  pip: 'apt-get install python3-pip',
  cargo: 'apt-get install cargo, or rustup; 1.68 or newer',
  apt: 'run it on Debian or Ubuntu',
  'python-requests': 'apt-get install python3-requests',
  zsh: 'apt-get install zsh',
  fish: 'apt-get install fish',
  tmux: 'apt-get install tmux',
  vim: 'apt-get install vim-tiny',
  'node-of-proxies': 'run it with Node 22.21, 24 or newer, or name one in HOLDFAST_TEST_NODE',
} as const

export type ProgramName = keyof typeof how

const isThere: Readonly<Record<ProgramName, () => boolean>> = {
  openssl: onPath('openssl'),
  curl: onPath('curl'),
  git: onPath('git'),
  npm: onPath('npm'),
  pip: once(() => succeeds('python3', '-c', 'import pip')),
  // A rustup without a toolchain has one too, which only says so.
  cargo: once(() => succeeds('cargo', '--version')),
  apt: onPath('apt-get'),
  'python-requests': once(() => succeeds('python3', '-c', 'import requests')),
  zsh: onPath('zsh'),
  fish: onPath('fish'),
  tmux: onPath('tmux'),
  vim: onPath('vi'),
  'node-of-proxies': () => nodeOfProxies() !== undefined,
}

type Check = { readonly met: () => boolean; readonly how: string; readonly possible: () => boolean }

/** What a host may lack of the programs that tests start. */
export const programChecks = Object.fromEntries(
  Object.entries(isThere).map(([name, met]) => [
    name,
    { met, how: how[name as ProgramName], possible: () => false },
  ]),
) as Readonly<Record<ProgramName, Check>>

/** To start a package manager takes its time. */
function onPath(program: string): () => boolean {
  return () => (toolchains().env.PATH ?? '').split(':').some(path => existsSync(join(path, program)))
}

/** By the PATH that a task with these toolchains has. */
function succeeds(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore', env: { ...process.env, ...toolchains().env } })
    return true
  } catch {
    return false
  }
}

/** Each is asked once a run. */
function once<Value>(ask: () => Value): () => Value {
  let answer: { readonly is: Value } | null = null
  return () => (answer ??= { is: ask() }).is
}
