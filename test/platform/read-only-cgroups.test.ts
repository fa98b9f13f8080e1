import assert from 'node:assert/strict'
import { execa } from 'execa'
import type { Enforcement, HostReport } from '../../src/index.ts'
import { compiled } from '../support/compiled.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

/** How a mount of cgroups comes to be read-only. `$m` is the mount point. */
const ways: Readonly<Record<string, string>> = {
  'the mount itself is': 'mount -o remount,bind,ro $m',
  'another one covers it, as in a container': 'mount --bind $m $m && mount -o remount,bind,ro $m',
  'they are not': ':',
}

describe('cgroups that are mounted read-only, as in every container that is not privileged', function () {
  this.timeout(180_000)
  before(function () {
    requires(this, 'linux', 'root', 'native')
  })

  for (const [way, change] of Object.entries(ways))
    it(`${way}: doctor and the start say the same of them, and the hint is of the mount`, async () => {
      const stateDir = temporaryDirectory('read-only')
      try {
        const [report, enforcement] = await inPrivateMounts(change, stateDir)
        const row = report.rows.find(({ name }) => name === 'cgroup.memory')
        const limit = enforcement.find(({ name }) => name === 'memoryBytes')
        assert.ok(row && limit)
        assert.equal(row.status === 'yes', limit.status === 'enforced')
        assert.equal(row.status === 'yes', change === ':')
        if (row.status === 'yes') return
        assert.match(`${row.why} ${limit.reason}`, /read-only.*read-only/)
        assert.match(row.hint ?? '', /remount,bind,rw.*docker run/)
        assert.equal(limit.hint, row.hint)
      } finally {
        removeTemporary(stateDir)
      }
    })

  async function inPrivateMounts(change: string, stateDir: string): Promise<[HostReport, Enforcement[]]> {
    const mounts = `awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) ~ /^cgroup2?$/) print $5 }' /proc/self/mountinfo`
    const script = `mount --make-rprivate / && for m in $(${mounts}); do ${change} || exit 1; done; "$@" doctor --json; echo @@; "$@" run --rm --json --memory 64M -- true`
    const program = [process.execPath, compiled('src/cli/main.ts'), '--state-dir', stateDir]
    const { stdout } = await execa('unshare', ['-m', 'sh', '-c', script, 'sh', ...program], { reject: false })
    const [doctor = '', run = ''] = stdout.split('@@')
    return [JSON.parse(doctor) as HostReport, (JSON.parse(run) as { enforcement: Enforcement[] }).enforcement]
  }
})
