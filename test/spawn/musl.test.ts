import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { packageRoot } from '../../src/package-root.ts'

type Features = { readonly libc: string }

const path = (process.env.PATH ?? '').split(delimiter)

describe('the native program that is built here', () => {
  it('is of musl where there is musl-gcc: none of its sources compiles with glibc alone', function () {
    const program = join(packageRoot, 'build/native/holdfast-native')
    const isBuilt = existsSync(program) && process.env.CC === undefined
    if (!isBuilt || !path.some(folder => existsSync(join(folder, 'musl-gcc')))) this.skip()
    const features = JSON.parse(execFileSync(program, ['features'], { encoding: 'utf8' })) as Features
    assert.equal(features.libc, 'musl')
  })
})
