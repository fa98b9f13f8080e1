#!/usr/bin/env node
// Builds src/spawn/native to build/native/holdfast-native. A machine without Linux or a C compiler is no error: the portable path serves there.
//   --require   fail when the native program cannot be built
//   --sanitize  build holdfast-native-asan (AddressSanitizer and UBSan) instead, for tests
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = join(root, 'src/spawn/native')
const target = join(root, 'build/native')
const required = process.argv.includes('--require')
const sanitize = process.argv.includes('--sanitize')
const name = sanitize ? 'holdfast-native-asan' : 'holdfast-native'
const program = join(target, name)
const stamp = join(target, `${name}.stamp`)
const unavailable = join(target, 'unavailable')

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

process.exitCode = main()

function main() {
  const reason = process.platform === 'linux' ? build() : `${process.platform} is not Linux`
  if (reason === null) return 0
  if (sanitize) return complain(`the sanitized program cannot be built: ${reason}`, 1)
  mkdirSync(target, { recursive: true })
  // npm runs this twice in a clone (install, prepare): once is enough to say it.
  if (!required && saidBefore(reason)) return 0
  rmSync(program, { force: true })
  rmSync(stamp, { force: true })
  writeFileSync(unavailable, `${JSON.stringify({ reason, at: new Date().toISOString() })}\n`)
  const how =
    process.platform === 'linux'
      ? 'install a C compiler (gcc or musl-tools) and run: npm run build'
      : 'run on Linux'
  return complain(
    `tasks will use the portable path, without isolation and limits: ${reason}. For the native program, ${how}`,
    required ? 1 : 0,
  )
}

function saidBefore(reason) {
  try {
    return !existsSync(program) && JSON.parse(readFileSync(unavailable, 'utf8')).reason === reason
  } catch {
    return false
  }
}

function complain(text, code) {
  console.error(`holdfast: ${text}`)
  return code
}

/** Null when the program is there, else why not. */
function build() {
  const files = readdirSync(sources)
    .filter(file => /\.(c|h|inc)$/.test(file))
    .sort()
  const candidates = sanitize ? sanitizedCandidates() : releaseCandidates()
  const hash = createHash('sha256').update(JSON.stringify([process.arch, candidates]))
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(sources, file)))
  const digest = hash.digest('hex')
  if (existsSync(program) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return null

  mkdirSync(target, { recursive: true })
  const units = files.filter(file => file.endsWith('.c')).map(file => join(sources, file))
  const reasons = []
  for (const { compiler, flags } of candidates) {
    const failure = attempt(compiler, flags, units)
    if (failure === null) {
      writeFileSync(stamp, digest)
      if (!sanitize) rmSync(unavailable, { force: true })
      return null
    }
    reasons.push(failure)
  }
  // The last candidate is the plainest; what stops it is what there is to mend.
  return reasons.at(-1)
}

function releaseCandidates() {
  const compiler = process.env.CC || 'cc'
  const isStatic = '-DHOLDFAST_STATIC'
  return [
    // musl's own headers first; the kernel's, which it lacks, after them.
    ...(process.env.CC
      ? []
      : [{ compiler: 'musl-gcc', flags: [...hardened, isStatic, '-static', ...kernelHeaders()] }]),
    { compiler, flags: [...hardened, isStatic, '-static-pie', '-Wl,-z,relro,-z,now'] },
    { compiler, flags: [...hardened, isStatic, '-static'] },
    { compiler, flags: [...hardened, '-pie', '-Wl,-z,relro,-z,now'] },
  ]
}

function sanitizedCandidates() {
  return [{ compiler: process.env.CC || 'cc', flags: sanitized }]
}

function kernelHeaders() {
  const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch]
  const folders = ['/usr/include', ...(triplet ? [`/usr/include/${triplet}`] : [])]
  return folders.flatMap(folder => ['-idirafter', folder])
}

/** Compiles and tries the result: a static program that links may still not run. The rename leaves a running spawner its old file. */
function attempt(compiler, flags, units) {
  const temporary = `${program}.${process.pid}.tmp`
  try {
    const compiled = spawnSync(compiler, [...flags, '-o', temporary, ...units], { encoding: 'utf8' })
    if (compiled.error)
      return compiled.error.code === 'ENOENT'
        ? `there is no ${compiler}`
        : `${compiler}: ${compiled.error.message}`
    if (compiled.status !== 0) return `${compiler} failed: ${firstError(compiled.stderr)}`
    const tried = spawnSync(temporary, ['features'], { encoding: 'utf8', timeout: 10_000 })
    if (tried.status !== 0 || !isFeatures(tried.stdout)) return `what ${compiler} built does not run here`
    renameSync(temporary, program)
    return null
  } finally {
    rmSync(temporary, { force: true })
  }
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
