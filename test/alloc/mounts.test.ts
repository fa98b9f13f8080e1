import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mountPoints, mountsWithin } from '../../src/alloc/mounts.ts'

const table = `22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:5 / /srv/a\\040b/alloc/tmp rw shared:1 - tmpfs none rw
31 22 0:6 / /srv/a\\040bc rw - tmpfs none rw
32 22 0:7 / /srv/back\\134slash\\011tab\\012line rw - tmpfs none rw
33 22 0:8 / /srv/\\303\\251 rw - tmpfs none rw
`

describe('mountPoints', () => {
  it('reads the fifth field and its octal escapes', () => {
    assert.deepEqual(mountPoints(table).slice(0, 4), [
      '/',
      '/srv/a b/alloc/tmp',
      '/srv/a bc',
      '/srv/back\\slash\ttab\nline',
    ])
  })

  it('reads escaped bytes as UTF-8', () => {
    assert.equal(mountPoints(table)[4], '/srv/é')
  })

  it('does not unescape twice', () => {
    assert.deepEqual(mountPoints('1 1 0:1 / /a\\134040b rw'), ['/a\\040b'])
  })
})

describe('mountsWithin', () => {
  let directory: string
  let file: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-mounts-'))
    file = join(directory, 'mountinfo')
    await writeFile(file, table)
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('finds the path itself and what lies below it, not its namesakes', async () => {
    assert.deepEqual(await mountsWithin('/srv/a b', file), ['/srv/a b/alloc/tmp'])
    assert.deepEqual(await mountsWithin('/srv/a bc', file), ['/srv/a bc'])
    assert.deepEqual(await mountsWithin('/srv/a', file), [])
  })

  it('finds nothing where the system has no table', async () => {
    assert.deepEqual(await mountsWithin('/', join(directory, 'absent')), [])
  })
})
