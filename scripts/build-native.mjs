#!/usr/bin/env node
// Builds src/spawn/native to build/native/holdfast-native, for this machine. Without Linux or a C compiler
// there is none, which is no error here.
//   --require   fail when it cannot be built
//   --sanitize  build holdfast-native-asan (AddressSanitizer and UBSan) instead, for tests
//   --prebuilt  build what the package carries instead, dist/native/linux-{x64,arm64}/holdfast-native,
//   static; fail unless both are there
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isStaticElf } from './elf.mjs'
import { mark, root, sourceFiles, sources } from './native-sources.mjs'

const local = join(root, 'build/native')
const unavailable = join(local, 'unavailable')
const required = process.argv.includes('--require')

const warnings = [
  ...[
    '-Wall',
    '-Wextra',
    '-Werror',
    '-Wshadow',
    '-Wconversion',
    '-Wstrict-prototypes',
    '-Wmissing-prototypes',
  ],
  ...['-Wformat=2', '-Wundef', '-Wvla'],
]
const common = ['-std=gnu11', '-D_GNU_SOURCE', ...warnings, '-fstack-protector-strong']
const hardened = [...common, '-O2', '-D_FORTIFY_SOURCE=2', '-fPIE']
const sanitized = [
  ...common,
  '-O1',
  '-g',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
  '-fno-omit-frame-pointer',
]
const isStatic = '-DHOLDFAST_STATIC'

/** What Debian calls each architecture's compiler and its user-mode emulator, and what to install for it. */
const architectures = {
  x64: { triplet: 'x86_64-linux-gnu', emulator: 'qemu-x86_64-static', cross: 'gcc-x86-64-linux-gnu' },
  arm64: { triplet: 'aarch64-linux-gnu', emulator: 'qemu-aarch64-static', cross: 'gcc-aarch64-linux-gnu' },
}

process.exitCode = main()

function main() {
  if (process.argv.includes('--prebuilt')) return prebuilt()
  const sanitize = process.argv.includes('--sanitize')
  const name = sanitize ? 'holdfast-native-asan' : 'holdfast-native'
  const program = join(local, name)
  const reason =
    process.platform === 'linux'
      ? build({
          program,
          stamp: `${program}.stamp`,
          candidates: sanitize ? sanitizedCandidates() : localCandidates(),
        })
      : `${process.platform} is not Linux`
  if (reason === null) {
    if (!sanitize) rmSync(unavailable, { force: true })
    return 0
  }
  if (sanitize) return complain(`the sanitized program cannot be built: ${reason}`, 1)
  mkdirSync(local, { recursive: true })
  rmSync(program, { force: true })
  rmSync(`${program}.stamp`, { force: true })
  writeFileSync(unavailable, `${JSON.stringify({ reason, at: new Date().toISOString() })}\n`)
  const how =
    process.platform === 'linux'
      ? 'install a C compiler (gcc or musl-tools) and run: npm run build'
      : 'run on Linux'
  return complain(
    `the native program was not built: ${reason}. For isolation and limits, ${how}`,
    required ? 1 : 0,
  )
}

function prebuilt() {
  const missing = []
  for (const arch of Object.keys(architectures)) {
    const reason = build({
      program: join(root, `dist/native/linux-${arch}/holdfast-native`),
      stamp: join(local, `prebuilt-linux-${arch}.stamp`),
      candidates: staticCandidates(arch),
      arch,
    })
    if (reason !== null) missing.push(`linux-${arch}: ${reason}`)
  }
  if (missing.length === 0) return 0
  const packages =
    process.arch === 'arm64'
      ? 'gcc libc6-dev gcc-x86-64-linux-gnu libc6-dev-amd64-cross'
      : 'gcc libc6-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross'
  return complain(
    `the package needs a static native program for Linux x64 and for arm64, and there is none for\n  ${missing.join('\n  ')}\n` +
      `On Debian: apt-get install ${packages} (and musl-tools, which makes a smaller one)`,
    1,
  )
}

function complain(text, code) {
  console.error(`holdfast: ${text}`)
  return code
}

/** Null when the program is there, else why not. With `arch` it must be static, and of that architecture. */
function build({ program, stamp, candidates, arch = null }) {
  const key = JSON.stringify([process.arch, arch, candidates, mark()])
  const digest = createHash('sha256').update(key).digest('hex')
  if (existsSync(program) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return null

  mkdirSync(dirname(program), { recursive: true })
  mkdirSync(dirname(stamp), { recursive: true })
  const units = sourceFiles()
    .filter(file => file.endsWith('.c'))
    .map(file => join(sources, file))
  const reasons = []
  for (const { compiler, flags } of candidates) {
    const failure = attempt({ program, compiler, flags, units, arch })
    if (failure === null) {
      writeFileSync(stamp, digest)
      return null
    }
    reasons.push(failure)
  }
  rmSync(program, { force: true })
  // The last candidate is the plainest; what stops it is what there is to mend.
  return reasons.at(-1)
}

function localCandidates() {
  const compiler = process.env.CC || 'cc'
  return [
    ...(process.env.CC ? [] : [musl()]),
    { compiler, flags: [...hardened, isStatic, '-static-pie', '-Wl,-z,relro,-z,now'] },
    { compiler, flags: [...hardened, isStatic, '-static'] },
    { compiler, flags: [...hardened, '-pie', '-Wl,-z,relro,-z,now'] },
  ]
}

/** Without symbols: what is shipped is small. */
function staticCandidates(arch) {
  const { triplet } = architectures[arch]
  const compilers = [`${triplet}-gcc`, ...(arch === process.arch ? [process.env.CC || 'cc'] : [])]
  return [
    ...(arch === process.arch ? [{ compiler: 'musl-gcc', flags: [...musl().flags, '-s'] }] : []),
    ...compilers.flatMap(compiler => [
      { compiler, flags: [...hardened, isStatic, '-static-pie', '-s', '-Wl,-z,relro,-z,now'] },
      { compiler, flags: [...hardened, isStatic, '-static', '-s'] },
    ]),
  ]
}

function sanitizedCandidates() {
  return [{ compiler: process.env.CC || 'cc', flags: sanitized }]
}

/** musl's own headers first; the kernel's, which it lacks, after them. */
function musl() {
  const triplet = architectures[process.arch]?.triplet
  const folders = ['/usr/include', ...(triplet ? [`/usr/include/${triplet}`] : [])]
  const kernelHeaders = folders.flatMap(folder => ['-idirafter', folder])
  return { compiler: 'musl-gcc', flags: [...hardened, isStatic, '-static', ...kernelHeaders] }
}

/**
 * Compiles and tries the result: a static program that links may still not run. The rename leaves a running
 * spawner its old file.
 */
function attempt({ program, compiler, flags, units, arch }) {
  const temporary = `${program}.${process.pid}.tmp`
  try {
    const compiled = spawnSync(compiler, [...flags, '-o', temporary, ...units], { encoding: 'utf8' })
    if (compiled.error)
      return compiled.error.code === 'ENOENT'
        ? `there is no ${compiler}`
        : `${compiler}: ${compiled.error.message}`
    if (compiled.status !== 0) return `${compiler} failed: ${firstError(compiled.stderr)}`
    appendFileSync(temporary, mark())
    chmodSync(temporary, 0o755)
    if (arch !== null && !isStaticElf(temporary, arch))
      return `what ${compiler} built is not static, or not for ${arch}`
    if (!runs(temporary, arch)) return `what ${compiler} built does not run here`
    renameSync(temporary, program)
    return null
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Another architecture's runs where its emulator is installed; else what is seen of the file must do. */
function runs(program, arch) {
  const emulator = arch === null || arch === process.arch ? [] : [architectures[arch].emulator]
  const [file, ...args] = [...emulator, program, 'features']
  const tried = spawnSync(file, args, { encoding: 'utf8', timeout: 30_000 })
  if (emulator.length > 0 && tried.error?.code === 'ENOENT') return true
  return tried.status === 0 && isFeatures(tried.stdout)
}

function firstError(text) {
  return (
    text.split('\n').find(line => /error|undefined|cannot find/i.test(line)) ?? text.split('\n')[0]
  ).trim()
}

function isFeatures(text) {
  try {
    return JSON.parse(text).version === 1
  } catch {
    return false
  }
}
