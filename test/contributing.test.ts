import { strict as assert } from 'node:assert'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../src/spawn/native-program.ts'

const text = readFileSync(join(packageRoot, 'CONTRIBUTING.md'), 'utf8')

describe('CONTRIBUTING.md', () => {
  it('names only files and folders that are there', () => {
    const named = [...text.matchAll(/`((?:src|machines|test|web|docs|scripts)\/[\w./-]*)/g)].map(
      ([, path = '']) => path,
    )
    const missing = named.filter(path => !existsSync(join(packageRoot, path)))
    assert.ok(named.length > 40)
    assert.deepEqual(missing, [])
  })

  it('has every environment variable that the library and the command line read', () => {
    const files = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
    const read = files
      .filter(name => name.endsWith('.ts'))
      .flatMap(name => [
        ...readFileSync(join(packageRoot, 'src', name), 'utf8').matchAll(/\benv\.(HOLDFAST_[A-Z_]+)/g),
      ])
    assert.ok(read.length > 3)
    assert.deepEqual(
      [...new Set(read.map(([, name = '']) => name))].filter(name => !text.includes(`\`${name}\``)),
      [],
    )
  })
})
