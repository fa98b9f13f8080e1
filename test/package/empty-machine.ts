import { execFileSync, spawnSync } from 'node:child_process'
import {
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { packageRoot } from '../../src/package-root.ts'
import { temporaryDirectory } from '../support/temporary.ts'

/** What is done there, as somebody would type it; the first is typed by who looks at what there is. */
const session: readonly string[] = [
  'ls /usr/bin',
  'npm install --global --ignore-scripts ./holdfast-0.1.0.tgz',
  'cd my-project && cat package.json sum.test.js',
  'holdfast run -w . -- npm test',
  'ls -ln; cat report',
]

const user = 1000

const project: Readonly<Record<string, string>> = {
  'package.json':
    '{ "name": "my-project", "type": "module", "scripts": { "test": "node --test --test-reporter=spec" } }\n',
  'sum.test.js': [
    "import { writeFileSync } from 'node:fs'",
    "import { test } from 'node:test'",
    "test('whoever I am, I may write here', () => writeFileSync('report', `by user ${process.getuid()}\\n`))",
    '',
  ].join('\n'),
}

/** The programs of busybox that npm and the session ask for. */
const applets = ['cat', 'env', 'ls', 'sh']

/**
 * Does all of the session as root of a machine on which there is Node, npm and a shell, and nothing else: a
 * root of its own, with the tarball in its home directory. What was typed and what was said to it.
 */
export function recorded(tarball: string): string {
  const root = emptyRoot(tarball)
  const lines = session.map(line => `printf '$ %s\\n' ${quoted(line)}; ${line}`).join('\n')
  const enter = [
    'mount --make-rprivate /',
    `mount --bind ${root} ${root} && cd ${root}`,
    'mount -t proc proc proc && mount --rbind /dev dev && mount --rbind /sys sys',
    'pivot_root . old && cd / && /usr/bin/busybox umount -l /old',
    `exec /usr/bin/env -i PATH=/usr/bin HOME=/root ${passed().map(quoted).join(' ')} /usr/bin/sh -c 'cd && exec 2>&1; eval "$1"' sh "$1"`,
  ]
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-m', '-p', '-f', '--kill-child', 'sh', '-c', enter.join(' && '), 'sh', lines],
    { encoding: 'utf8', timeout: 240_000 },
  )
  if (status !== 0) throw new Error(`the session ended with ${status}: ${stderr}${stdout}`)
  return stdout
}

function emptyRoot(tarball: string): string {
  const root = join(temporaryDirectory('empty-machine'), 'root')
  for (const name of ['usr/bin', 'usr/lib/node_modules', 'etc', 'proc', 'dev', 'sys', 'old', 'tmp', 'var'])
    mkdirSync(join(root, name), { recursive: true })
  for (const name of ['bin', 'lib', 'lib64'])
    symlinkSync(`usr/${name === 'bin' ? 'bin' : 'lib'}`, join(root, name))
  const busybox = realpathSync(programOf('busybox'))
  const node = realpathSync(process.execPath)
  install(node, join(root, 'usr/bin/node'))
  install(busybox, join(root, 'usr/bin/busybox'))
  for (const name of applets) symlinkSync('busybox', join(root, 'usr/bin', name))
  for (const library of librariesOf(node)) install(library, join(root, library))
  const npm = dirname(dirname(realpathSync(programOf('npm'))))
  cpSync(npm, join(root, 'usr/lib/node_modules/npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'))
  writeFileSync(join(root, 'etc/passwd'), `root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n`)
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
  for (const path of ['/etc/resolv.conf', '/etc/hosts', process.env.NODE_EXTRA_CA_CERTS ?? ''])
    if (path !== '' && existsSync(path)) install(path, join(root, path))
  const home = join(root, 'root')
  mkdirSync(join(home, 'my-project'), { recursive: true })
  for (const [name, text] of Object.entries(project)) {
    writeFileSync(join(home, 'my-project', name), text)
    chownSync(join(home, 'my-project', name), user, user)
  }
  chownSync(join(home, 'my-project'), user, user)
  copyFileSync(tarball, join(home, basename(tarball)))
  return root
}

function install(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}

function librariesOf(program: string): string[] {
  const said = execFileSync('ldd', [program], { encoding: 'utf8' })
  return [...said.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, path = '']) =>
    existsSync(path) ? [path] : [],
  )
}

function programOf(name: string): string {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
}

/** What npm needs of this host to reach what it installs from, and nothing of what it says besides. */
function passed(): string[] {
  const { NODE_EXTRA_CA_CERTS = '', npm_config_registry = '' } = process.env
  const named = Object.entries({ NODE_EXTRA_CA_CERTS, npm_config_registry }).filter(
    ([, value]) => value !== '',
  )
  const quiet = { npm_config_update_notifier: 'false', npm_config_fund: 'false', npm_config_audit: 'false' }
  return [...named, ...Object.entries(quiet)].map(([name, value]) => `${name}=${value}`)
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

/** What README says was typed and said. */
export function recording(): string {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8')
  return /```console\n([^]*?)```/.exec(readme)?.[1] ?? ''
}

/** What is the same each time: without times, sizes, keys and dates. */
export function shapeOf(said: string): string[] {
  return said
    .trimEnd()
    .split('\n')
    .map(line =>
      line
        .replace(/\[[0-9a-z]{14}\]/, '[KEY]')
        .replace(/[A-Z][a-z]{2} [ \d]\d (?:\d\d:\d\d| \d{4})/, 'DATE')
        .replace(/ +\d+ DATE/, ' SIZE DATE')
        .replace(/[\d.]+ ?(?:ms|s|m|h)\b(?: \d+[ms]\b)?/g, 'TIME')
        .replace(/[\d.]+ [KMG]iB/g, 'MEMORY')
        .replace(/duration_ms [\d.]+/, 'duration_ms TIME')
        .replace(/^total \d+/, 'total SIZE'),
    )
}
