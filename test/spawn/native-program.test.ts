import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mark, sourcesDigest } from '../../scripts/native-sources.mjs'
import { findNativeProgram } from '../../src/spawn/native-program.ts'
import { nativeMark } from '../../src/spawn/native-mark.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const ours = 'a'.repeat(32)
const other = 'b'.repeat(32)

describe('where the native program is found', () => {
  let root: string
  let beside: string

  beforeEach(() => {
    root = temporaryDirectory('package')
    beside = temporaryDirectory('bundle')
  })

  const find = (env: NodeJS.ProcessEnv = {}, arch = 'arm64') =>
    findNativeProgram({ env, platform: 'linux', arch, root, beside, sources: ours, whyNot: () => null })
  const unavailable = (found: ReturnType<typeof find>): string =>
    'unavailable' in found ? found.unavailable : assert.fail(`found ${found.path}`)

  function program(path: string, digest = ours, mode = 0o755): string {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `\x7fELF and more${mark(digest)}`)
    chmodSync(path, mode)
    return path
  }

  it('HOLDFAST_NATIVE before a local build, that before the one of the package, that before one beside a bundle', () => {
    const bundled = program(join(beside, 'holdfast-native-linux-arm64'))
    assert.deepEqual(find(), { path: bundled })
    const carried = program(join(root, 'dist/native/linux-arm64/holdfast-native'))
    assert.deepEqual(find(), { path: carried })
    const local = program(join(root, 'build/native/holdfast-native'))
    assert.deepEqual(find(), { path: local })
    const named = program(join(beside, 'elsewhere'))
    assert.deepEqual(find({ HOLDFAST_NATIVE: named }), { path: named })
  })

  it('the program of another architecture is not taken', () => {
    program(join(root, 'dist/native/linux-x64/holdfast-native'))
    program(join(beside, 'holdfast-native-linux-x64'))
    assert.match(unavailable(find()), /the package is not whole/)
    assert.match(unavailable(find({}, 'riscv64')), /carries none for riscv64/)
  })

  it('a program of other sources is refused with words wherever it lies, and one of these is taken in its place', () => {
    const stale = program(join(root, 'build/native/holdfast-native'), other)
    assert.match(unavailable(find()), /build\/native\/holdfast-native is not of this version of holdfast/)
    const named = unavailable(find({ HOLDFAST_NATIVE: stale }))
    assert.match(named, /^HOLDFAST_NATIVE names .*not of this version/)
    const carried = program(join(root, 'dist/native/linux-arm64/holdfast-native'))
    assert.deepEqual(find(), { path: carried })
    assert.ok(
      'path' in
        findNativeProgram({ env: {}, platform: 'linux', root, beside, sources: null, whyNot: () => null }),
    )
  })

  it('a file that is no native program is refused', () => {
    for (const text of ['', 'holdfast-native', '#!/bin/sh\n']) {
      const path = join(beside, 'file')
      writeFileSync(path, text, { mode: 0o755 })
      assert.match(unavailable(find({ HOLDFAST_NATIVE: path })), /not of this version/)
    }
    assert.match(unavailable(find({ HOLDFAST_NATIVE: join(beside, 'none') })), /does not exist/)
  })

  it("the package's own gets back an executable bit that was lost; a file of the caller's is left as it is", () => {
    const carried = program(join(root, 'dist/native/linux-arm64/holdfast-native'), ours, 0o644)
    assert.deepEqual(find(), { path: carried })
    assert.equal(statSync(carried).mode & 0o777, 0o755)
    const named = program(join(beside, 'named'), ours, 0o644)
    assert.match(unavailable(find({ HOLDFAST_NATIVE: named })), /not executable: chmod \+x/)
    assert.equal(statSync(named).mode & 0o777, 0o644)
  })

  it('what the build marks is what is looked for', () => {
    const path = program(join(beside, 'built'), sourcesDigest())
    assert.equal(nativeMark(path), sourcesDigest())
    assert.equal(nativeMark(join(beside, 'none')), null)
  })
})
