import { strict as assert } from 'node:assert'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseResources } from '../../src/command/validate.ts'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { everyOption, launchFields } from '../support/launch-spec.ts'

type Option = { readonly name: string; readonly operands: number; readonly repeats: boolean }

const byName = (one: Option, other: Option) => one.name.localeCompare(other.name)

const specC = readFileSync(join(packageRoot, 'src/spawn/native/spec.c'), 'utf8')

/** The table by which the native program reads a launch. */
function nativeOptions(): Option[] {
  const rows = specC.matchAll(/^ +\{"([a-z-]+)", (\d), (true|false), \w+\},$/gm)
  return [...rows]
    .map(([, name = '', operands, repeats]) => ({
      name,
      operands: Number(operands),
      repeats: repeats === 'true',
    }))
    .sort(byName)
}

/** The table of docs/native-protocol.md: the words of the operands are counted, `A or B` being one. */
function documentedOptions(): Option[] {
  const text = readFileSync(join(packageRoot, 'docs/native-protocol.md'), 'utf8')
  const [, table = ''] =
    /\n\| option \| operands \| repeats \| meaning \|\n[^\n]*\n((?:\|[^\n]*\n)+)/.exec(text) ?? []
  return table
    .trim()
    .split('\n')
    .flatMap(line => {
      const [, names = '', operands = '', repeats = ''] = line.split('|').map(cell => cell.trim())
      const count =
        operands === '' || isOne.test(operands) ? Number(operands !== '') : operands.split(' ').length
      return [...names.matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => ({
        name,
        operands: count,
        repeats: repeats === 'yes',
      }))
    })
    .sort(byName)
}

const isOne = /^(\S+ or \S+|comma list)$/

/**
 * The options that TypeScript writes, found by walking what it wrote with the operands that the native
 * program takes.
 */
function writtenOptions(): { readonly names: ReadonlySet<string>; readonly repeated: ReadonlySet<string> } {
  const operands = new Map(nativeOptions().map(({ name, operands }) => [name, operands]))
  const names = new Set<string>()
  const repeated = new Set<string>()
  for (const spec of everyOption) {
    const seen = new Set<string>()
    const fields = launchFields(spec)
    for (let at = 2; at < fields.length;) {
      const name = fields[at] ?? ''
      const count = operands.get(name)
      assert.ok(count !== undefined, `"${name}" is written, and the native program takes no such option`)
      if (seen.has(name)) repeated.add(name)
      seen.add(name)
      names.add(name)
      at += 1 + count
    }
  }
  return { names, repeated }
}

describe('the options of a launch', () => {
  it('are the same in the native program and in docs/native-protocol.md: names, operands, repeats', () => {
    assert.ok(nativeOptions().length >= 47)
    assert.deepEqual(documentedOptions(), nativeOptions())
  })

  it('are all written by TypeScript, each with as many operands as are read, so that all are in the fuzz vocabulary', () => {
    assert.deepEqual(
      [...writtenOptions().names].sort(),
      nativeOptions()
        .map(({ name }) => name)
        .sort(),
    )
  })

  it('are carried out: what a handler of the table keeps is read by another part of the native program', () => {
    const handlers = specC.replace(/\\\n/g, '').replace(/^#define .*$/gm, '')
    const kept = new Set(
      Array.from(handlers.matchAll(/reader->spec->(\w+)(?:\[\w+\])? \|?= /g), ([, name]) => name),
    )
    assert.ok(kept.size >= 20)
    const sources = join(packageRoot, 'src/spawn/native')
    const others = readdirSync(sources).filter(name => name.endsWith('.c') && !name.startsWith('spec'))
    const text = others.map(name => readFileSync(join(sources, name), 'utf8')).join('')
    const unread = [...kept].filter(name => !new RegExp(`spec(?:->|\\.)${name}\\b`).test(text))
    assert.deepEqual(unread, [])
  })

  it('come twice only where that is allowed', () => {
    const once = new Set(nativeOptions().flatMap(({ name, repeats }) => (repeats ? [] : [name])))
    assert.deepEqual(
      [...writtenOptions().repeated].filter(name => once.has(name)),
      [],
    )
  })
})

describe('the rlimits', () => {
  it("are the same in the native program, by setrlimit(2)'s names, and in what resources.rlimits takes", () => {
    const rows = [...specC.matchAll(/^ +\{"([a-z]+)", RLIMIT_([A-Z]+)\},$/gm)]
    const names = rows.map(([, name = '']) => name)
    assert.ok(names.length >= 16)
    for (const [row, name = '', constant] of rows) assert.equal(name.toUpperCase(), constant, row)
    assert.throws(() => parseResources({ rlimits: { none: 1 } }), {
      message: `resources.rlimits.none: got 1, takes no field of this name; known are ${names.join(', ')}`,
    })
  })
})
