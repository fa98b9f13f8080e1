import assert from 'node:assert/strict'
import { delegatedScope, serviceManager } from '../../../src/platform/linux/delegated-scope.ts'
import { requires } from '../../support/requires.ts'
import { FakeHost } from '../fake-host.ts'

describe('a scope of the service manager', () => {
  let host: FakeHost
  before(function () {
    requires(this, 'linux')
  })
  beforeEach(() => {
    host = new FakeHost()
    host.file('proc/self/cgroup', '0::/system.slice/orchestrator.service\n')
  })
  afterEach(() => host.remove())

  const as = (uid: number, env: NodeJS.ProcessEnv = {}) => ({ ...host, env, uid })
  const boot = () => host.directory('run/systemd/system')
  const optionsOf = (uid: number): readonly string[] =>
    delegatedScope('/native', ['spawner'], as(uid))?.command ?? []

  it('is asked for from PID 1 as root, from the user’s manager as a user', () => {
    boot()
    host.file('run/user/1000/systemd/private')
    assert.equal(serviceManager(as(0))?.bus, 'system')
    assert.equal(serviceManager(as(1000))?.bus, 'user')
    assert.ok(optionsOf(0).includes('--system') && optionsOf(1000).includes('--user'))
    assert.deepEqual(delegatedScope('/native', [], as(1000))?.env, {
      XDG_RUNTIME_DIR: host.path('run/user/1000'),
    })
  })

  it('is none where systemd is not PID 1, and for a user without a manager', () => {
    assert.equal(delegatedScope('/native', [], as(0)), null)
    host.file('run/user/1000/systemd/private')
    assert.equal(delegatedScope('/native', [], as(1000)), null)
    boot()
    assert.equal(delegatedScope('/native', [], as(1001)), null)
  })

  it('is delegated and collected, and becomes the program with its own arguments', () => {
    boot()
    const command = optionsOf(0)
    assert.ok(command.includes('--property=Delegate=yes') && command.includes('--collect'))
    assert.deepEqual(command.slice(-3), ['--', '/native', 'spawner'])
  })

  it('stays in the slice that an administrator has put the supervisor into, and leaves a login’s', () => {
    boot()
    const sliceFrom = (path: string) => {
      host.file('proc/self/cgroup', `12:memory:/x\n0::${path}\n`)
      return optionsOf(0).find(option => option.startsWith('--slice'))
    }
    assert.equal(sliceFrom('/batch.slice/batch-night.slice/my.service'), '--slice=batch-night.slice')
    assert.equal(sliceFrom('/system.slice/my.service'), undefined)
    assert.equal(sliceFrom('/user.slice/user-0.slice/session-3.scope'), undefined)
    assert.equal(sliceFrom('/'), undefined)
  })

  it('is believed only when the spawner is in it and systemd still knows it', () => {
    boot()
    const start = delegatedScope('/native', [], as(0)) ?? assert.fail()
    const unit = start.command.find(option => option.startsWith('--unit='))?.slice(7) ?? ''
    host.file('proc/7/cgroup', '0::/system.slice/orchestrator.service\n')
    assert.match(JSON.stringify(start.verify(7)), /did not put the spawner into/)
    host.file('proc/7/cgroup', `1:name=systemd:/system.slice/${unit}\n0::/system.slice/${unit}\n`)
    assert.match(JSON.stringify(start.verify(7)), /gave up/)
    host.file(`run/systemd/transient/${unit}`)
    assert.deepEqual(start.verify(7), { unit, path: `/system.slice/${unit}` })
    // On a v1 host it is a unit all the same, whose hierarchy has no controllers.
    host.file('proc/7/cgroup', `1:name=systemd:/system.slice/${unit}\n`)
    assert.deepEqual(start.verify(7), { unit, path: null })
  })
})
