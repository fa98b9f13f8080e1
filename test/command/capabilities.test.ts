import assert from 'node:assert/strict'
import { capabilityNames, capabilityNumbers } from '../../src/command/capabilities.ts'

describe('capabilityNumbers', () => {
  it('knows all 41, by the numbers of the kernel', () => {
    assert.equal(capabilityNames.length, 41)
    assert.equal(new Set(capabilityNames).size, 41)
    assert.deepEqual(capabilityNumbers(capabilityNames), [...capabilityNames.keys()])
    const known = [
      'CAP_CHOWN',
      'CAP_KILL',
      'CAP_NET_BIND_SERVICE',
      'CAP_SYS_ADMIN',
      'CAP_SYS_RESOURCE',
      'CAP_AUDIT_READ',
      'CAP_BPF',
    ]
    assert.deepEqual(capabilityNumbers(known), [0, 5, 10, 21, 24, 37, 39])
    assert.deepEqual(capabilityNumbers(['CAP_CHECKPOINT_RESTORE']), [40])
  })

  it('takes names in any case and without prefix, sorts them and counts each once', () => {
    assert.deepEqual(capabilityNumbers(['sys_admin', 'Cap_Chown', 'CHOWN', 'cap_sys_admin']), [0, 21])
    assert.deepEqual(capabilityNumbers([]), [])
  })

  for (const name of ['', 'CAP_', 'CAP_CAP_CHOWN', 'ALL', 'CAP_CHOWN ', '0']) {
    it(`refuses ${JSON.stringify(name)}, naming its place`, () => {
      assert.throws(() => capabilityNumbers(['chown', name]), {
        code: 'INVALID_ARGUMENT',
        message: /^command\.capabilities\[1\]: got /,
      })
    })
  }
})
