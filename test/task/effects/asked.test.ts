import { strict as assert } from 'node:assert'
import { type AskedOfKernel, askedOfKernel } from '../../../machines/index.ts'
import { askedOf } from '../../../src/task/effects/asked.ts'
import { minimalSpec } from '../../support/launch-spec.ts'

describe('what is kept of a launch, to be read back', () => {
  it('is each thing that the kernel can be asked for, and nothing else', () => {
    const wanted: AskedOfKernel = {
      credentials: { uid: 7, gid: 8, groups: [9] },
      namespaces: ['pid', 'network'],
      networkPath: '/run/netns/blue',
      capabilities: [10],
      noNewPrivileges: true,
      seccomp: true,
      rlimits: [{ name: 'nofile', soft: 1, hard: 2 }],
    }
    const asked = askedOf({ ...minimalSpec, ...wanted })
    assert.deepEqual(asked, wanted)
    assert.equal(askedOfKernel.fault(asked), null)
  })
})
