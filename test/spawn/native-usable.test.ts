import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { whyUnusable } from '../../src/spawn/native-usable.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

/** What the kernel does not execute, as the start of a file. `header`: of a program here, but empty. */
const refusedByKernel: Readonly<Record<string, (header: Buffer) => Buffer>> = {
  'no program': () => Buffer.alloc(0),
  'cut off in its header': header => header.subarray(0, 24),
  'without program headers': header => header,
  'for another processor': header => {
    header.writeUInt16LE(process.arch === 's390x' ? 183 : 22, 18)
    return header
  },
}

describe('a native program that the kernel would not execute', function () {
  let directory: string
  before(function () {
    requires(this, 'linux')
  })
  beforeEach(() => {
    directory = temporaryDirectory('usable')
  })
  afterEach(() => removeTemporary(directory))

  /** A shell that is given it leaves the note. */
  function made(startOf: (header: Buffer) => Buffer): { path: string; note: string } {
    const path = join(directory, 'program')
    const note = join(directory, 'note')
    // What follows the processor could be any byte, which a shell might stop at.
    const start = startOf(readFileSync(process.execPath).subarray(0, 64).fill(0, 24))
    writeFileSync(path, Buffer.concat([start, Buffer.from(`\necho ran > ${note}\n`)]), { mode: 0o755 })
    return { path, note }
  }

  for (const [what, startOf] of Object.entries(refusedByKernel)) {
    it(`${what}: is refused, and no shell has read it`, () => {
      const { path, note } = made(startOf)
      assert.match(whyUnusable(path) ?? '', /is no program|is cut off|is not for this processor/)
      assert.equal(existsSync(note), false)
    })

    it(`${what}, control: whoever runs it has a shell read it`, () => {
      const { path, note } = made(startOf)
      spawnSync(path, ['features'], { cwd: directory, env: {}, stdio: 'ignore' })
      assert.equal(existsSync(note), true)
    })
  }
})
