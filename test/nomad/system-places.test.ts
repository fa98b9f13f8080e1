import assert from 'node:assert/strict'
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { checkPlaces } from '../../src/nomad/tasks/system-places.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe("a Nomad task's directory", () => {
  let directory: string
  beforeEach(() => (directory = temporaryDirectory('nomad-places')))
  afterEach(() => removeTemporary(directory))

  it('may have files among the node’s only where a task gets a root of its own', async () => {
    const asked = (answer: boolean) => checkPlaces(directory, () => Promise.resolve(answer))
    mkdirSync(join(directory, 'opt'))
    await checkPlaces(directory, () => Promise.reject(new Error('nobody has to know')))
    mkdirSync(join(directory, 'etc'))
    await asked(true)
    await assert.rejects(asked(false), {
      code: 'UNSUPPORTED',
      message: /^etc\/ is the node's/,
      hint: /local\//,
    })
    rmSync(join(directory, 'etc'), { recursive: true })
    symlinkSync('/root', join(directory, 'etc'))
    await assert.rejects(asked(true), { code: 'UNSUPPORTED', message: /has to be a directory/ })
    mkdirSync(join(directory, 'sys'))
    await assert.rejects(asked(true), { code: 'UNSUPPORTED', message: /^sys\/ .* the kernel's/ })
  })
})
