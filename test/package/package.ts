import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { packageRoot } from '../../src/package-root.ts'
import { temporaryDirectory } from '../support/temporary.ts'

export type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

const forbidden = ['cc', 'gcc', 'g++', 'clang', 'musl-gcc', 'make']

/** A PATH with Node, npm and a few programs, and no compiler. */
const plainPath = makePath()

function makePath(): string {
  const bin = join(temporaryDirectory('path'), 'bin')
  mkdirSync(bin)
  const programs = ['node', 'npm', 'npx', 'sh', 'id', 'env', 'touch', 'sed', 'dirname', 'uname', 'getent']
  for (const name of programs) {
    const found = process.env.PATH?.split(delimiter).find(folder => existsSync(join(folder, name)))
    if (found !== undefined) symlinkSync(join(found, name), join(bin, name))
  }
  if (forbidden.some(name => readdirSync(bin).includes(name))) throw new Error('a compiler on the plain PATH')
  return bin
}

type Packed = { readonly tarball: string; readonly said: string }

let packed: Packed | undefined

/**
 * Packs a clone of what is committed, which has neither dist/ nor build/, as `npm publish` would. Once: it
 * takes a minute.
 */
export function pack(): Packed {
  packed ??= packClone()
  return packed
}

function packClone(): Packed {
  const clone = join(temporaryDirectory('clone'), 'holdfast')
  execFileSync('git', ['clone', '--quiet', packageRoot, clone])
  symlinkSync(join(packageRoot, 'node_modules'), join(clone, 'node_modules'))
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--silent'], { cwd: clone, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}${stdout}`)
  const name = readdirSync(clone).find(file => file.endsWith('.tgz'))
  if (name === undefined) throw new Error(`npm pack made nothing: ${stdout}`)
  return { tarball: join(clone, name), said: stderr }
}

/** A clone whose PATH has no compiler for another architecture. */
export function packWithoutCompilers(): Ran {
  const clone = join(temporaryDirectory('clone'), 'holdfast')
  execFileSync('git', ['clone', '--quiet', packageRoot, clone])
  return run(clone, 'node', ['scripts/build-native.mjs', '--prebuilt'])
}

/** An empty project; its state is its own. */
export function emptyProject(name: string, description: Readonly<Record<string, unknown>> = {}): string {
  const project = join(temporaryDirectory(name), 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name, private: true, ...description }))
  return project
}

export function run(
  cwd: string,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Ran {
  const { HOME = '/root', NODE_EXTRA_CA_CERTS = '', npm_config_registry = '' } = process.env
  const passed = Object.entries({ NODE_EXTRA_CA_CERTS, npm_config_registry }).filter(
    ([, value]) => value !== '',
  )
  const { status, stdout, stderr } = spawnSync(file, args, {
    cwd,
    encoding: 'utf8',
    timeout: 240_000,
    env: {
      ...Object.fromEntries(passed),
      ...{ PATH: plainPath, HOME, HOLDFAST_STATE_DIR: join(dirname(cwd), 'state'), NO_COLOR: '1' },
      ...env,
    },
  })
  return { status, stdout, stderr }
}

/** A copy to break. */
export function copyOf(project: string): string {
  const copy = join(temporaryDirectory('copy'), 'project')
  cpSync(project, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

export function sizeOf(directory: string): number {
  const { stdout } = spawnSync('du', ['-sk', directory], { encoding: 'utf8' })
  return Number(stdout.split('\t')[0]) * 1024
}

/** The files of JavaScript that a program has loaded, as V8 tells them. */
export function loadedBy(project: string, args: readonly string[]): string[] {
  const folder = temporaryDirectory('coverage')
  run(project, 'node', args, { NODE_V8_COVERAGE: folder })
  const urls = readdirSync(folder).flatMap(file => {
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] }
    return result.map(({ url }) => url)
  })
  return [...new Set(urls.filter(url => url.startsWith('file:')))]
}
