import assert from 'node:assert/strict'
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programOf } from '../../src/nomad/tasks/program.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe("where a Nomad job's program is", () => {
  let directory: string
  let task: { alloc_dir: string; name: string }
  const at = (path: string) => join(task.alloc_dir, task.name, path)
  const modeOf = (path: string) => statSync(path).mode & 0o7777

  before(function () {
    requires(this, 'linux')
    directory = temporaryDirectory('nomad-program')
    task = { alloc_dir: join(directory, 'allocation'), name: 't' }
    for (const part of ['alloc/logs', 't/local/bin', 't/tools'])
      mkdirSync(join(task.alloc_dir, part), { recursive: true })
  })
  after(() => directory && removeTemporary(directory))

  it('is local/ before the task directory, and it is made executable', () => {
    writeFileSync(at('local/server'), '', { mode: 0o640 })
    writeFileSync(at('server'), '', { mode: 0o640 })
    assert.equal(programOf(task, 'server'), '/local/server')
    assert.deepEqual([modeOf(at('local/server')), modeOf(at('server'))], [0o755, 0o640])
    writeFileSync(at('tools/run'), '', { mode: 0o600 })
    assert.equal(programOf(task, 'tools/run'), '/tools/run')
    assert.equal(modeOf(at('tools/run')), 0o755)
    writeFileSync(at('local/bin/absolute'), '', { mode: 0o600 })
    assert.equal(programOf(task, '/local/bin/absolute'), '/local/bin/absolute')
    assert.equal(modeOf(at('local/bin/absolute')), 0o755)
  })

  it('is left for the task to find where no such file is there', () => {
    for (const command of ['sh', '/bin/sh', 'bin', 'server/below', '../../none'])
      assert.equal(programOf(task, command), command)
  })

  it('may be a link, of which the file behind it is never touched', () => {
    const secret = join(directory, 'of-the-node')
    writeFileSync(secret, '', { mode: 0o600 })
    symlinkSync(secret, at('local/link'))
    symlinkSync(directory, at('local/directory'))
    assert.equal(programOf(task, 'link'), '/local/link')
    assert.equal(programOf(task, 'directory/of-the-node'), '/local/directory/of-the-node')
    for (const up of ['../of-the-node', '../../of-the-node', '../../../of-the-node'])
      assert.equal(programOf(task, up), up)
    assert.equal(modeOf(secret), 0o600)
  })
})
