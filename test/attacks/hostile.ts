import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command, Executor } from '../../src/index.ts'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { output, outputOf } from '../support/output.ts'
import { isLiving, statOfAll } from '../support/process-stat.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import type { Workbench } from '../support/workbench.ts'

const sources = fileURLToPath(new URL('../fixtures/hostile', import.meta.url))
const programs = new Map<string, string>()
let directory: string | undefined

/** What fixtures/hostile/init.c tries on a process, by way of /proc and by tracing it. */
export const looking = ['mem', 'environ', 'maps', 'root', 'cwd', 'exe', 'ns']
export const tracing = [
  'ptrace-attach',
  'ptrace-seize',
  'process_vm_readv',
  'process_vm_writev',
  'pidfd_getfd',
  'kcmp',
]

/** The host's path of a hostile program, compiled at first use, or before by test/vm/bundle.mjs. */
export function compiled(name: string): string {
  const known = programs.get(name)
  if (known !== undefined) return known
  const bundled = bundledPath(name)
  if (existsSync(bundled)) return bundled
  const path = join(compiledDirectory(), name)
  // Static: it must run in any root.
  execFileSync('cc', ['-static', '-O1', '-o', path, join(sources, `${name}.c`)], { stdio: 'pipe' })
  chmodSync(path, 0o755)
  programs.set(name, path)
  return path
}

/** Whether compiled() has that program here; says so where not. */
export function canCompile(name: string): boolean {
  if (existsSync(bundledPath(name)) || spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0)
    return true
  process.stderr.write(`SKIPPED what ${name} is for: it takes a C compiler\n`)
  return false
}

const bundledPath = (name: string): string => fileURLToPath(new URL(`./hostile/${name}`, import.meta.url))

/**
 * A task that runs a hostile program, which a root of its own gets as /tmp/hostile/NAME: there it can still
 * be a shared root.
 */
export function attacker(
  bench: Workbench,
  name: string,
  args: readonly string[] = [],
  loosened: Partial<Command> = {},
): Executor {
  const path = compiled(name)
  const inHostRoot =
    bench.platform === 'basic' || loosened.root === 'host' || loosened.namespaces?.mount === false
  const task = bench.command(inHostRoot ? path : `/tmp/hostile/${name}`, ...args)
  const mounts = [{ source: compiledDirectory(), target: '/tmp/hostile', readOnly: true }]
  Object.assign(task.command, inHostRoot ? {} : { mounts }, loosened)
  return task
}

export function nativePath(): string {
  const found = nativeProgram()
  if (!('path' in found)) throw new Error(found.unavailable)
  return found.path
}

/**
 * The native program as a host would run it that lacks something: started through these, which take that
 * away. For HOLDFAST_NATIVE.
 */
export function without(program: string, ...wrappers: readonly string[]): string {
  const path = join(temporaryDirectory('without'), 'program')
  chmodSync(join(path, '..'), 0o755)
  const words = [...wrappers, program].map(word => `'${word}'`).join(' ')
  writeFileSync(path, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
  return path
}

/** The same, as on a kernel without one system call: without Landlock unless told otherwise. */
export function withoutCall(
  call: RefusedCall = 'landlock_create_ruleset',
  errno = constants.errno.ENOSYS,
): string {
  return withoutCalls([call], errno)
}

export function withoutCalls(calls: readonly RefusedCall[], errno: number): string {
  const wrappers = calls.flatMap(call => [compiled('without_call'), call, String(errno)])
  return without(nativePath(), ...wrappers)
}

type RefusedCall =
  'landlock_create_ruleset' | 'memfd_create' | 'clone3' | 'prlimit64' | 'quotactl' | 'quotactl_fd'

/** What each attempt came to, from lines of a name and a verdict. */
export async function verdicts(task: Executor): Promise<Record<string, string>> {
  return parseVerdicts(await outputOf(task), await output(task, 'stderr'))
}

export function parseVerdicts(text: string, complaints = ''): Record<string, string> {
  if (complaints !== '') throw new Error(`the hostile program complains: ${complaints}`)
  const lines = text.split('\n').filter(line => line !== '')
  return Object.fromEntries(lines.map(line => split(line)))
}

/** Processes of the host that wear a name (15 characters at most). Zombies are dead. */
export function wearing(mark: string): number[] {
  return statOfAll()
    .filter(stat => isLiving(stat) && stat.name === mark)
    .map(({ pid }) => pid)
}

/** A name that no other process wears. */
export function newMark(): string {
  return `hostile${Math.random().toString(36).slice(2, 9)}`
}

function split(line: string): [string, string] {
  const space = line.indexOf(' ')
  return [line.slice(0, space), line.slice(space + 1)]
}

function compiledDirectory(): string {
  if (directory === undefined) {
    const made = temporaryDirectory('hostile')
    // mocha may load this module apart from the set-up's own, whose last hook then knows nothing of what was
    // made here.
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    directory = made
  }
  return directory
}
