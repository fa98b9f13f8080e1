import assert from 'node:assert/strict'
import { chownSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Enforcement } from '../../src/index.ts'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { compiled } from '../support/compiled.ts'
import { ordinaryUid } from '../support/ordinary-user.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { asRootOf, type Ended, type Maps } from '../support/user-namespace.ts'

const alone: Maps = { users: '0 0 1', groups: '0 0 1', setgroups: 'deny' }
const firstThousand: Maps = { users: '0 0 1000', groups: '0 0 1000' }
const fewGroups: Maps = { users: '0 0 70000', groups: '0 0 1000' }
const rootAndNobody: Maps = { users: '0 0 1\n65534 65534 1', groups: '0 0 1\n65534 65534 1' }

type Case = { readonly maps: Maps; readonly flags?: readonly string[]; readonly ids: string }

/** `reason`: of the row `user`, which is weakened then; without one it is not. */
const cases: Readonly<Record<string, Case & { readonly reason?: RegExp }>> = {
  'itself alone': { maps: alone, ids: '0:0', reason: /has no other user in it: the task runs as user 0/ },
  'itself alone, and may leave groups': {
    maps: { users: '0 0 1', groups: '0 0 1' },
    ids: '0:0',
    reason: /has no other user in it/,
  },
  'several users without nobody': {
    maps: firstThousand,
    ids: '0:0',
    reason: /has no user 65534 \(it has 0-999\) and no group 65534/,
  },
  'several users without nobody, and daemon asked for': {
    maps: firstThousand,
    flags: ['--user', 'daemon'],
    ids: '1:1',
  },
  'everybody without the group of nobody': {
    maps: fewGroups,
    ids: '0:0',
    reason: /has no group 65534 \(it has 0-999\)/,
  },
  'everybody without the group of nobody, and another one asked for': {
    maps: fewGroups,
    flags: ['--user', 'nobody', '--group', 'daemon'],
    ids: '65534:1',
  },
  'everybody, and lets nobody leave groups': {
    maps: { users: '0 0 70000', groups: '0 0 70000', setgroups: 'deny' },
    ids: '0:0',
    reason: /lets nobody leave groups/,
  },
  'root and nobody': { maps: rootAndNobody, ids: '65534:65534' },
  'everybody, as the host has': {
    maps: { users: '0 0 4294967295', groups: '0 0 4294967295' },
    ids: '65534:65534',
  },
  'everybody that has an account': { maps: { users: '0 0 70000', groups: '0 0 70000' }, ids: '65534:65534' },
}

describe('root of a user namespace', function () {
  this.timeout(60_000)
  let state: string

  before(function () {
    requires(this, 'root', 'linux', 'native')
  })
  beforeEach(() => {
    state = temporaryDirectory('root-of-namespace')
  })
  afterEach(() => removeTemporary(state))

  const program = (args: readonly string[]) => [
    ...[process.execPath, compiled('src/cli/main.ts'), '--state-dir', join(state, 'state')],
    ...args,
  ]
  const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env.PATH, HOME: state, TMPDIR: state })
  const holdfast = (maps: Maps, ...args: string[]): Promise<Ended> =>
    asRootOf(maps, program(args), environment())

  const script =
    'touch /local/made; mkdir /alloc/made; grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status'
  const confined = 'CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n'

  for (const [title, { maps, flags = [], ids, reason }] of Object.entries(cases))
    it(`that has ${title}: an isolated task as ${ids}, and its files`, async () => {
      const ran = await holdfast(maps, 'run', '--json', '--name', 'job', ...flags, '--', 'sh', '-c', script)
      assert.equal(ran.code, 0, ran.stderr)
      const { enforcement } = JSON.parse(ran.stdout) as { enforcement: Enforcement[] }
      const row = (name: string) => enforcement.find(found => found.name === name)
      for (const name of ['root', 'namespace.user', 'namespace.pid', 'capabilities', 'seccomp', 'devices'])
        assert.equal(row(name)?.status, 'enforced', `${name}: ${row(name)?.reason}`)
      assert.equal(row('user')?.status, reason ? 'weakened' : 'enforced')
      if (reason) {
        assert.match(row('user')?.reason ?? '', reason)
        assert.match(row('user')?.hint ?? '', /host's root.*\/etc\/subuid.*newuidmap/)
      }
      assert.equal((await holdfast(maps, 'logs', 'job')).stdout, confined)
      const owners = ownersBelow(join(state, 'state'))
      assert.equal(owners.get('made'), ids)
      assert.deepEqual(
        [...new Set([...owners.values()])].filter(
          owner => !['0:0', ids, `0:${ids.split(':')[1]}`].includes(owner),
        ),
        [],
      )
      const removed = await holdfast(maps, 'rm', 'job')
      assert.equal(removed.code, 0, removed.stderr)
    })

  it('is refused under strict for its user, and not when that is named', async () => {
    const strict = await holdfast(alone, 'run', '--rm', '--strict', '--', 'true')
    assert.equal(strict.code, 125)
    assert.match(strict.stderr, /cannot enforce user \(the user namespace of this process has no other user/)
    const named = await holdfast(alone, 'run', '--rm', '--strict', '--user', 'root', '--', 'true')
    assert.equal(named.code, 0, named.stderr)
  })

  it('refuses by its field whoever is asked for and not there, whichever executor', async () => {
    for (const executor of [[], ['--basic']]) {
      const refused = async (maps: Maps, ...flags: string[]) => {
        const { code, stderr } = await holdfast(maps, 'run', ...executor, ...flags, '--', 'true')
        assert.equal(code, 125)
        assert.match(stderr, /hint: run as the host's root.*\/etc\/subuid/)
        return stderr
      }
      assert.match(
        await refused(alone, '--user', 'nobody'),
        /^holdfast: --user: no task can be started as nobody:65534: the user namespace of this process has no other/,
      )
      assert.match(await refused(firstThousand, '--user', 'nobody'), /--user: .* has no user 65534/)
      assert.match(await refused(fewGroups, '--user', '7', '--group', '65534'), /: .* has no group 65534/)
    }
  })

  it('gives no task a user of its own where it lacks the numbers, and names them; untrusted ones are nobody’s', async () => {
    const maps = { users: '0 0 70000', groups: '0 0 70000' }
    const asked = await holdfast(maps, 'run', '--user', 'own', '--', 'true')
    assert.equal(asked.code, 125)
    assert.match(
      asked.stderr,
      /"own" cannot be had: .* lacks users 1879048192 to 1879113727 \(it has 0-69999\) and groups/,
    )
    assert.match(asked.stderr, /hint: .*\/etc\/subuid.*ownUsers/)
    const untrusted = await holdfast(maps, 'run', '--rm', '--untrusted', '--', 'id', '-u')
    assert.deepEqual([untrusted.code, untrusted.stdout], [0, '65534\n'], untrusted.stderr)
  })

  it('runs a second command inside such a task, as the same user', async () => {
    for (const [maps, uid] of [
      [alone, '0'],
      [firstThousand, '0'],
      [rootAndNobody, '65534'],
    ] as const) {
      const line = `"$@" run --detach --name long -- sleep 600 && "$@" exec long -- sh -c 'id -u; ps -e | grep -c sleep'; code=$?; "$@" kill long && "$@" rm long; exit $code`
      const { code, stdout, stderr } = await asRootOf(
        maps,
        ['sh', '-c', line, 'sh', ...program([])],
        environment(),
      )
      assert.equal(code, 0, stderr)
      assert.match(stdout, new RegExp(`^${uid}\n1$`, 'm'))
    }
  })

  it('is the same by unshare --map-root-user of an ordinary user, whom the system belongs to somebody unknown', async function () {
    requires(this, 'ordinary-user')
    chownSync(state, ordinaryUid, ordinaryUid)
    const user = ['--reuid', String(ordinaryUid), '--regid', String(ordinaryUid), '--clear-groups']
    const line = [
      ...user,
      'unshare',
      '--map-root-user',
      ...program(['run', '--json', '--', 'touch', '/local/made']),
    ]
    const ran = await execa('setpriv', line, {
      cwd: packageRoot,
      reject: false,
      extendEnv: false,
      env: environment(),
    })
    assert.equal(ran.exitCode, 0, ran.stderr)
    const { enforcement } = JSON.parse(ran.stdout) as { enforcement: Enforcement[] }
    assert.equal(enforcement.find(({ name }) => name === 'root')?.status, 'enforced')
    assert.match(enforcement.find(({ name }) => name === 'user')?.reason ?? '', /has no other user in it/)
    const owners = ownersBelow(join(state, 'state'))
    assert.deepEqual([...new Set(owners.values())], [`${ordinaryUid}:${ordinaryUid}`])
  })
})

/** By the last name of each path: `UID:GID`. */
function ownersBelow(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return new Map(
    names.map(name => {
      const { uid, gid } = lstatSync(join(directory, name))
      return [name.split('/').at(-1) ?? '', `${uid}:${gid}`]
    }),
  )
}
