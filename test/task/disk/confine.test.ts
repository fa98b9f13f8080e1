import { strict as assert } from 'node:assert'
import { mkdirSync, readFileSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskPaths } from '../../../src/platform/port.ts'
import { changeAllocation, confineAllocation } from '../../../src/task/disk/confine.ts'
import { nativeForDisk, refuseDisk } from '../../../src/task/disk/failure.ts'
import { growImage, releaseAllocation, showAllocation } from '../../../src/task/disk/image.ts'
import { diskInForce } from '../../../src/task/disk/in-force.ts'
import { directoriesOf, isOurs, projectOf } from '../../../src/task/disk/place.ts'
import { releaseProject } from '../../../src/task/disk/project.ts'
import { withFakeNative } from '../../support/fake-native.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { refuses } from '../../support/refuses.ts'
import { requires } from '../../support/requires.ts'
import { temporaryDirectory } from '../../support/temporary.ts'
import { withVariable } from '../../support/variable.ts'

const MiB = 1024 * 1024
const huge = 2 ** 52
const busy = 'echo "16 quotactl"; exit 1'

/** Nothing of the host is bounded by it: the native program is a script. */
describe('a bound for what a task stores', () => {
  let dir: string
  let alloc: TaskPaths
  before(function () {
    requires(this, 'linux')
  })
  beforeEach(() => {
    dir = temporaryDirectory('records')
    const root = temporaryDirectory('alloc')
    alloc = {
      root,
      shared: join(root, 'alloc'),
      task: join(root, 'web'),
      local: join(root, 'web/local'),
    }
    for (const path of directoriesOf(alloc)) mkdirSync(path, { recursive: true })
  })

  it('takes the native program', () =>
    withVariable('HOLDFAST_NATIVE', 'off', async () => {
      assert.throws(() => nativeForDisk(), { code: 'UNSUPPORTED', hint: /^unset HOLDFAST_NATIVE/ })
      await refuses(confineAllocation(dir, alloc, { way: 'project', bytes: MiB }), { code: 'UNSUPPORTED' })
    }))

  it('is refused with the step and its errno', () =>
    assert.throws(() => refuseDisk({ step: 'mount', errno: 'EPERM' }, '/a', 'no such thing'), {
      code: 'LIMIT_FAILED',
      stage: 'disk',
      errno: 'EPERM',
      path: '/a',
      message: 'diskBytes: no such thing: mount: EPERM',
    }))

  it('is changed of nothing that has none', () =>
    refuses(changeAllocation(dir, alloc.root, MiB), { code: 'UNSUPPORTED', stage: 'disk' }))

  it('is read back of a project as what its directory has, and is null where none is seen', () => {
    assert.equal(diskInForce(dir, alloc.root), null)
    writeFileSync(join(dir, 'project'), '77\n')
    const { blocks, bsize } = statfsSync(alloc.root)
    assert.deepEqual(diskInForce(dir, alloc.root), { way: 'project', bytes: blocks * bsize })
    assert.equal(diskInForce(dir, join(dir, 'absent')), null)
  })

  describe('as a project', () => {
    const project = { way: 'project', bytes: MiB } as const

    it('is of each of its directories, and its number is on disk', () =>
      withFakeNative('exit 0', async calls => {
        await confineAllocation(dir, alloc, project)
        const number = projectOf(dir)
        assert.equal(readFileSync(join(dir, 'project'), 'utf8'), `${number}\n`)
        const given = `disk project give ${number} ${MiB} ${directoriesOf(alloc).join(' ')}`
        assert.deepEqual(calls(), [given])
        // Again, after a supervisor that was killed amid it: the same.
        await confineAllocation(dir, alloc, project)
        assert.deepEqual(calls(), [given, given])
      }))

    it('is refused where the file system has no quotas', () =>
      withFakeNative('echo "3 quotactl"; exit 1', () =>
        refuses(confineAllocation(dir, alloc, project), {
          code: 'LIMIT_FAILED',
          errno: 'ESRCH',
          message: /no project of that size: quotactl/,
        }),
      ))

    it('is changed to what it can hold, and to no less than is there', () =>
      withFakeNative('exit 0', async calls => {
        writeFileSync(join(dir, 'project'), '77\n')
        await refuses(changeAllocation(dir, alloc.root, 1), {
          code: 'INVALID_ARGUMENT',
          message: /diskBytes/,
        })
        assert.deepEqual(calls(), [])
        await changeAllocation(dir, alloc.root, huge)
        assert.deepEqual(calls(), [`disk project limit 77 ${huge} ${alloc.root}`])
      }))

    it('is as it was where another is refused', () =>
      withFakeNative(busy, async () => {
        writeFileSync(join(dir, 'project'), '77\n')
        await refuses(changeAllocation(dir, alloc.root, huge), { code: 'LIMIT_FAILED', errno: 'EBUSY' })
      }))

    it('is let go of later where somebody still has a file of it open', async () => {
      await withFakeNative('echo "16 used"; exit 1', () => releaseProject(77, alloc.root))
      await withFakeNative(busy, () =>
        refuses(releaseProject(77, alloc.root), { code: 'LIMIT_FAILED', message: /project 77/ }),
      )
    })
  })

  describe('as a file system of its own', () => {
    const image = () => join(dir, 'disk.img')

    it('is refused with what the mount was, or where nothing makes one', () =>
      withFakeNative('echo "1 mount"; exit 1', () =>
        refuses(confineAllocation(dir, alloc, { way: 'image', bytes: MiB }), {
          code: 'LIMIT_FAILED',
          stage: 'disk',
          message: /no file system of that size: (mount: EPERM|mkfs\.ext4: ENOENT)$/,
        }),
      ))

    it('does not shrink', async () => {
      writeFileSync(image(), '')
      truncateSync(image(), 2 * MiB)
      await refuses(growImage(dir, alloc.root, MiB), {
        code: 'INVALID_ARGUMENT',
        message: new RegExp(`${2 * MiB} or more`),
      })
    })

    it('is another’s, or none, unless a loop device of its file is mounted there', () =>
      withFakeNative('exit 0', async calls => {
        for (const path of [alloc.root, '/proc', '/no/such']) {
          assert.equal(isOurs(path, dir), false)
          await releaseAllocation(dir, path)
        }
        assert.deepEqual(calls(), [])
      }))

    it('is shown, as far as that goes, where it was made before the host was started anew', () => {
      const shim = new FakeShim(dir)
      return withFakeNative(busy, async calls => {
        await showAllocation(dir, alloc.root)
        writeFileSync(image(), '')
        await showAllocation(dir, alloc.root)
        shim.started()
        await showAllocation(dir, alloc.root)
        assert.deepEqual(calls(), [])
        shim.started(Date.now(), { bootId: 'another' })
        await showAllocation(dir, alloc.root)
        assert.deepEqual(calls(), [`disk show ${image()} ${alloc.root}`])
      }).finally(() => shim.gone())
    })
  })
})
