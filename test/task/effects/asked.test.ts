import { strict as assert } from 'node:assert'
import { askedOfKernel } from '../../../machines/index.ts'
import { askedOf } from '../../../src/task/effects/asked.ts'
import { minimalSpec } from '../../support/launch-spec.ts'

describe('what is kept of a launch, to be read back', () => {
  it('is each thing that the kernel can be asked for, and nothing else', () => {
    const asked = askedOf({
      ...minimalSpec,
      credentials: { uid: 7, gid: 8, groups: [9] },
      namespaces: ['pid', 'network'],
      networkPath: '/run/netns/blue',
      capabilities: [10],
      noNewPrivileges: true,
      seccomp: true,
      rlimits: [{ name: 'nofile', soft: 1, hard: 2 }],
    })
    assert.deepEqual(asked, {
      credentials: { uid: 7, gid: 8, groups: [9] },
      namespaces: ['pid', 'network'],
      networkPath: '/run/netns/blue',
      capabilities: [10],
      noNewPrivileges: true,
      seccomp: true,
      rlimits: [{ name: 'nofile', soft: 1, hard: 2 }],
    })
    assert.equal(askedOfKernel.fault(asked), null)
  })
})
