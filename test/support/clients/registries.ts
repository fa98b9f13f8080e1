import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What is served by path, but for git's. `origin` is the server's own. */
export type Pages = ReadonlyMap<string, (origin: string) => string | Buffer>

/** What each package says of itself: who has it has come through. */
export const word = 'came-through'

/** A registry of each kind with one package, `tiny`, and a page. */
export function registries(directory: string): Pages {
  const made = join(directory, 'made')
  return new Map([['/hello', () => word], ...npm(made), ...pip(made), ...cargo(made), ...apt()])
}

/** A repository with one file, for `git http-backend`: its parent directory. */
export function gitProjects(directory: string): string {
  const work = join(directory, 'git', 'work')
  mkdirSync(work, { recursive: true })
  writeFileSync(join(work, 'hello'), word)
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
  const git = (...words: string[]): Buffer =>
    execFileSync('git', [...who, ...words], { cwd: work, stdio: 'pipe' })
  git('init', '-q')
  git('add', 'hello')
  git('commit', '-qm', 'hello')
  return join(directory, 'git')
}

function* npm(made: string): Generator<[string, (origin: string) => string | Buffer]> {
  const manifest = { name: 'tiny', version: '1.0.0', main: 'index.js' }
  writeTree(join(made, 'npm', 'package'), {
    'package.json': JSON.stringify(manifest),
    'index.js': `module.exports = '${word}'`,
  })
  const tarball = tar(join(made, 'npm'), 'package')
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
  yield ['/npm/tiny/-/tiny-1.0.0.tgz', () => tarball]
  yield [
    '/npm/tiny',
    origin => {
      const dist = { tarball: `${origin}/npm/tiny/-/tiny-1.0.0.tgz`, integrity }
      const versions = { '1.0.0': { ...manifest, dist } }
      return JSON.stringify({ name: 'tiny', 'dist-tags': { latest: '1.0.0' }, versions })
    },
  ]
}

function* pip(made: string): Generator<[string, () => string | Buffer]> {
  const folder = join(made, 'pip')
  const info = 'tiny-1.0.0.dist-info'
  writeTree(join(folder, info), {
    METADATA: 'Metadata-Version: 2.1\nName: tiny\nVersion: 1.0.0\n',
    WHEEL: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    RECORD: `tiny.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`,
  })
  writeFileSync(join(folder, 'tiny.py'), `word = '${word}'\n`)
  const name = 'tiny-1.0.0-py3-none-any.whl'
  yield ['/simple/tiny/', () => `<!DOCTYPE html><a href="/wheels/${name}">${name}</a>`]
  yield [`/wheels/${name}`, () => zip(folder, 'tiny.py', `${info}/`)]
}

function* cargo(made: string): Generator<[string, (origin: string) => string | Buffer]> {
  writeTree(join(made, 'cargo', 'tiny-1.0.0', 'src'), { 'lib.rs': `// ${word}\n` })
  writeTree(join(made, 'cargo', 'tiny-1.0.0'), {
    'Cargo.toml': '[package]\nname = "tiny"\nversion = "1.0.0"\nedition = "2021"\n',
  })
  const crate = tar(join(made, 'cargo'), 'tiny-1.0.0')
  const cksum = createHash('sha256').update(crate).digest('hex')
  const entry = { name: 'tiny', vers: '1.0.0', deps: [], cksum, features: {}, yanked: false }
  yield ['/index/config.json', origin => JSON.stringify({ dl: `${origin}/crates/{crate}-{version}.crate` })]
  yield ['/index/ti/ny/tiny', () => JSON.stringify(entry)]
  yield ['/crates/tiny-1.0.0.crate', () => crate]
}

function* apt(): Generator<[string, () => string]> {
  const fields = {
    ...{ Package: 'tiny', Version: '1.0.0', Architecture: 'all', Maintainer: 'test <test@localhost>' },
    ...{ Filename: './tiny.deb', Size: '1', SHA256: '0'.repeat(64), Description: word },
  }
  yield [
    '/apt/Packages',
    () =>
      `${Object.entries(fields)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n')}\n`,
  ]
}

function writeTree(directory: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
}

const tar = (directory: string, name: string): Buffer =>
  execFileSync('tar', ['-C', directory, '-czf', '-', name], { stdio: 'pipe' })

/** By Python, which is there for whom this is made. */
function zip(directory: string, ...names: string[]): Buffer {
  const path = join(directory, 'made.zip')
  execFileSync('python3', ['-m', 'zipfile', '-c', path, ...names], { cwd: directory, stdio: 'pipe' })
  return readFileSync(path)
}
