import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AllocDir } from '../../src/alloc/alloc-dir.ts'
import { makePrivateAllocation, removePrivateAllocation } from '../../src/alloc/private.ts'

describe('a private allocation', () => {
  let base: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'holdfast-private-'))
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  it('is the tree that AllocDir builds, with the same modes whatever the umask', async () => {
    const built = new AllocDir(join(base, 'built'))
    await built.build(['web'])
    const umask = process.umask(0o077)
    try {
      const paths = makePrivateAllocation(join(base, 'made'), 'web')
      assert.deepEqual(
        Object.values(paths).map(path => statSync(path).isDirectory()),
        [true, true, true, true],
      )
    } finally {
      process.umask(umask)
    }
    assert.deepEqual(tree(join(base, 'made')), tree(join(base, 'built')))
  })

  it('is refused where something is already, which is left as it is', () => {
    symlinkSync('/etc', join(base, 'taken'))
    assert.throws(() => makePrivateAllocation(join(base, 'taken'), 'web'), { code: 'EEXIST' })
    assert.equal(existsSync('/etc/alloc'), false)
  })

  it('refuses a name no task can have before it makes anything', () => {
    assert.throws(() => makePrivateAllocation(join(base, 'made'), '../web'), { code: 'INVALID_ARGUMENT' })
    assert.deepEqual(readdirSync(base), [])
  })

  it('is removed whole when its task has left nothing but logs, or not even those', () => {
    for (const logs of [[], ['stdout'], ['stdout', 'stderr']]) {
      const { shared } = makePrivateAllocation(join(base, 'made'), 'web')
      for (const stream of logs) writeFileSync(join(shared, 'logs', `web.${stream}`), 'said')
      assert.equal(removePrivateAllocation(join(base, 'made'), 'web'), process.platform === 'linux')
      rmSync(join(base, 'made'), { recursive: true, force: true })
    }
  })

  it('is left to AllocDir.destroy when there is a file of the task', async () => {
    const { local } = makePrivateAllocation(join(base, 'made'), 'web')
    writeFileSync(join(local, 'data'), 'kept until asked')
    assert.equal(removePrivateAllocation(join(base, 'made'), 'web'), false)
    assert.equal(existsSync(join(local, 'data')), true)
    await new AllocDir(join(base, 'made')).destroy()
    assert.deepEqual(readdirSync(base), [])
  })

  it('never removes through a link that a task has put in place of the log directory', () => {
    const { shared } = makePrivateAllocation(join(base, 'made'), 'web')
    const elsewhere = join(base, 'elsewhere')
    mkdirSync(elsewhere)
    writeFileSync(join(elsewhere, 'web.stdout'), 'not the task’s')
    renameSync(join(shared, 'logs'), join(shared, 'moved'))
    symlinkSync(elsewhere, join(shared, 'logs'))
    assert.equal(removePrivateAllocation(join(base, 'made'), 'web'), false)
    assert.deepEqual(readdirSync(elsewhere), ['web.stdout'])
  })
})

function tree(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .concat('.')
    .map(name => `${name} ${statSync(join(path, name)).mode.toString(8)}`)
    .sort()
}
