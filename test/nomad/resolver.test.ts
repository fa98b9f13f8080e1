import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { resolverFile } from '../../src/nomad/tasks/resolver.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe("the resolv.conf of a Nomad job's task", () => {
  let directory: string
  const host = () => ({ file: join(directory, 'file'), behindStub: join(directory, 'behind') })
  const ask = (more: object) => ({ servers: [], searches: [], options: [], ...more })

  beforeEach(() => {
    directory = temporaryDirectory()
    writeFileSync(host().file, '# comment\nnameserver 10.0.0.1\nnameserver\t10.0.0.2\nsearch a.test\n')
  })
  afterEach(() => removeTemporary(directory))

  it("is the host's own where the job says nothing of it", () => {
    for (const dns of [null, ask({})])
      for (const ownNetwork of [true, false]) assert.equal(resolverFile(dns, ownNetwork, host()), null)
  })

  it('has what the job says, and the rest as the host has it', () => {
    assert.equal(
      resolverFile(ask({ searches: ['b.test', 'c.test'] }), false, host()),
      'nameserver 10.0.0.1\nnameserver\t10.0.0.2\nsearch b.test c.test\n',
    )
    assert.equal(
      resolverFile(ask({ servers: ['10.0.0.9'], options: ['ndots:2'] }), true, host()),
      'nameserver 10.0.0.9\nsearch a.test\noptions ndots:2\n',
    )
  })

  it("names who is behind systemd-resolved's stub to a task that cannot reach the stub", () => {
    writeFileSync(host().file, 'nameserver 127.0.0.53\noptions edns0\nsearch a.test\n')
    assert.equal(resolverFile(null, true, host()), null, 'nobody knows who is behind it')
    writeFileSync(host().behindStub, 'nameserver 10.0.0.7\nsearch a.test\n')
    assert.equal(resolverFile(null, true, host()), 'nameserver 10.0.0.7\nsearch a.test\n')
    assert.equal(resolverFile(null, false, host()), null, 'the stub is in reach')
    assert.equal(
      resolverFile(ask({ searches: ['b.test'] }), true, host()),
      'nameserver 10.0.0.7\nsearch b.test\n',
    )
  })

  it('has only what the job says where the host has no file', () => {
    const nowhere = { file: '/nowhere', behindStub: '/nowhere' }
    assert.equal(resolverFile(ask({ searches: ['b.test'] }), true, nowhere), 'search b.test\n')
  })
})
