import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '../../../src/api.ts'
import { bind } from '../../../src/platform/linux/mount-ops.ts'
import { taskEntries } from '../../../src/platform/linux/root-entries.ts'
import { removeTemporary, temporaryDirectory } from '../../support/temporary.ts'

describe('what lies in the task directory, at the top of the root', () => {
  let dir: string
  beforeEach(() => (dir = temporaryDirectory('entries')))
  afterEach(() => removeTemporary(dir))

  const entries = (command: Partial<Command> = {}, system = [bind('/usr', '/usr', true)]) =>
    taskEntries(dir, system, { path: 'x', args: [], env: {}, ...command })
  const requested = (rows: readonly { requested: unknown }[]) => rows.map(row => row.requested)

  it('is bound read-only, and links stay links wherever they lead', () => {
    mkdirSync(join(dir, 'data'))
    symlinkSync('/etc/shadow', join(dir, 'link'))
    const { ops, rows } = entries()
    assert.deepEqual(
      ops.map(op => [op.op, op.at, op.op === 'bind' ? op.readOnly : op.op === 'symlink' && op.to]),
      [
        ['bind', '/data', true],
        ['symlink', '/link', '/etc/shadow'],
      ],
    )
    assert.deepEqual(rows, [])
  })

  it('does not replace the system, and says so of each', () => {
    for (const name of ['etc', 'opt']) mkdirSync(join(dir, name))
    const { ops, rows } = entries({}, [bind('/opt/vendor', '/opt/vendor', true)])
    assert.deepEqual(ops, [])
    assert.deepEqual(requested(rows), [`${join(dir, 'etc')} at /etc`, `${join(dir, 'opt')} at /opt`])
  })

  it('is left out without a word where the command says what is there, or where it is there anyhow', () => {
    for (const name of ['alloc', 'local', 'data', 'scratch']) mkdirSync(join(dir, name))
    const { ops, rows } = entries({
      mounts: [{ source: '/srv', target: '/data' }],
      tmpfs: [{ target: '/./scratch/' }],
    })
    assert.deepEqual([ops, rows], [[], []])
  })

  it('has a row for bytes that are no UTF-8, in a name or in where it leads', () => {
    const bytes = Buffer.from([0x6e, 0xff])
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), bytes]), '')
    symlinkSync(bytes, join(dir, 'link'))
    const { ops, rows } = entries()
    assert.deepEqual(ops, [])
    assert.equal(rows.length, 2)
    for (const row of rows) assert.deepEqual([row.name, row.status], ['root', 'skipped'])
  })
})
