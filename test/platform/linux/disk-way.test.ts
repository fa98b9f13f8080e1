import { strict as assert } from 'node:assert'
import { type DiskTrials, findDiskWay, unfitForProject } from '../../../src/platform/linux/disk-way.ts'
import type { DiskRefusal } from '../../../src/spawn/disk.ts'

const self = { uid: 0, gid: 0, groups: [] }
const places = { allocs: '/srv/allocs', state: '/srv' }

/** A host that answers so; `asked` has what was tried, in order. */
function host(project: DiskRefusal | null, image: DiskRefusal | null) {
  const asked: string[] = []
  const trial = (name: string, answer: DiskRefusal | null) => (_program: string, directory: string) => {
    asked.push(`${name} ${directory}`)
    return Promise.resolve(answer)
  }
  const trials: DiskTrials = {
    native: () => ({ path: '/native' }),
    project: trial('project', project),
    image: trial('image', image),
  }
  return { trials, asked }
}

const find = ({ trials }: ReturnType<typeof host>, unfit: string | null = null) =>
  findDiskWay(places, { right: 'root', self }, unfit, trials)

const off = { step: 'quota', errno: 'ESRCH' }

describe('how diskBytes is kept to', () => {
  it('is a project where the file system has quotas, and nothing else is tried', async () => {
    const made = host(null, null)
    assert.deepEqual(await find(made), { way: 'project', why: null })
    assert.deepEqual(made.asked, ['project /srv/allocs'])
  })

  it('is a file system of its own where it has none, or where a limit of it has no effect', async () => {
    const made = host(off, null)
    const why = 'the file system has no project quota (ESRCH)'
    assert.deepEqual(await find(made), { way: 'image', why })
    assert.deepEqual(made.asked, ['project /srv/allocs', 'image /srv'])
    assert.deepEqual(await find(host({ step: 'effect', errno: 'EFBIG' }, null)), {
      way: 'image',
      why: 'its project quota is of no use (effect: EFBIG)',
    })
    const filtered = await find(host({ step: 'quota', errno: 'EPERM' }, null))
    assert.match('why' in filtered ? (filtered.why ?? '') : '', /a filter, refuses quotactl\(2\) \(EPERM\)$/)
  })

  it('is neither where both are refused: both are said, and what helps', async () => {
    const found = await find(host(off, { step: 'loop', errno: 'ENOENT' }))
    assert.deepEqual(found, {
      reason:
        'the file system has no project quota (ESRCH), and no file system of its own can be made (loop: ENOENT)',
      hint: 'this host needs /dev/loop-control and loop devices: modprobe loop',
    })
  })

  it('is no project for a task that would not be bound by one, which is not even tried', async () => {
    const made = host(null, null)
    assert.deepEqual(await find(made, 'it could leave'), { way: 'image', why: 'it could leave' })
    assert.deepEqual(made.asked, ['image /srv'])
  })

  it('is nothing without root, and nothing is tried', async () => {
    const made = host(null, null)
    const found = await findDiskWay(places, { right: 'user-namespace', self }, null, made.trials)
    assert.ok('reason' in found)
    assert.deepEqual(made.asked, [])
  })

  it('a task is unfit for a project without the filter, with the power over quotas, with an overlay', () => {
    const command = { path: 'true', args: [], env: {} }
    const kept = { capabilities: [], seccomp: true }
    assert.equal(unfitForProject({ command }, kept), null)
    assert.equal(unfitForProject({ command }, { ...kept, capabilities: ['CAP_CHOWN'] }), null)
    assert.match(unfitForProject({ command }, { ...kept, seccomp: false }) ?? '', /without the filter/)
    assert.match(
      unfitForProject({ command }, { ...kept, capabilities: ['CAP_SYS_RESOURCE'] }) ?? '',
      /with CAP_SYS_RESOURCE$/,
    )
    // Nothing is taken from it.
    assert.match(unfitForProject({ command }, { ...kept, capabilities: null }) ?? '', /CAP_SYS_ADMIN/)
    const overlay = { ...command, workspace: { path: '/srv', overlay: true } }
    assert.match(unfitForProject({ command: overlay }, kept) ?? '', /overlay/)
  })
})
