import assert from 'node:assert/strict'
import { chownSync, mkdirSync, readdirSync } from 'node:fs'
import { execa } from 'execa'
import type { Enforcement, HostReport } from '../../src/index.ts'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { compiled } from '../support/compiled.ts'
import { inDocker, inRestrictedPod } from '../support/containers.ts'
import { ordinaryUid } from '../support/ordinary-user.ts'
import { type Need, requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

type Surroundings = {
  /** What starts the command line there: it ends in `"$@"`. A function where something is compiled for it. */
  readonly script: string | (() => string)
  readonly needs?: readonly Need[]
  readonly env?: Readonly<Record<string, string>>
  /** Who owns the state. */
  readonly uid?: number
  /** How doctor exits. */
  readonly code: 0 | 1
  readonly sees?: (report: HostReport) => void
}

const cgroupMounts = `awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) ~ /^cgroup2?$/) print $5 }' /proc/self/mountinfo`
const ordinary = `setpriv --reuid ${ordinaryUid} --regid ${ordinaryUid} --clear-groups "$@"`
const withoutPower = (bounding: string) => `setpriv --bounding-set=${bounding} "$@"`

const statusOf = ({ rows }: HostReport, name: string) => rows.find(row => row.name === name)?.status

const hintOf = ({ rows }: HostReport, name: string) => rows.find(row => row.name === name)?.hint ?? ''

const noNamespaces = ['user', 'mount', 'pid', 'ipc', 'uts', 'cgroup'].map(name => `namespace.${name} skipped`)

const places: Readonly<Record<string, Surroundings>> = {
  'as root': { script: '"$@"', code: 0 },
  'as an ordinary user': { script: ordinary, needs: ['ordinary-user'], uid: ordinaryUid, code: 1 },
  'as an ordinary user in a container, where parts of /proc are covered': {
    script: `mount --make-rprivate / && mount -t tmpfs none /proc/sys && ${ordinary}`,
    needs: ['ordinary-user'],
    uid: ordinaryUid,
    code: 1,
    sees: report => assert.notEqual(statusOf(report, 'root'), 'yes'),
  },
  'where cgroups are mounted read-only': {
    script: `mount --make-rprivate / && for m in $(${cgroupMounts}); do mount --bind $m $m && mount -o remount,bind,ro $m || exit 1; done; "$@"`,
    code: 0,
    sees: report => assert.equal(statusOf(report, 'cgroup.memory'), 'no'),
  },
  'where the place of our cgroups is no directory that can be made': {
    script: `mount --make-rprivate / && for m in $(${cgroupMounts}); do test -d $m/holdfast || mkdir $m/holdfast; mount --bind /proc/self/fdinfo $m/holdfast || exit 1; done; "$@"`,
    code: 0,
    sees: report => assert.equal(statusOf(report, 'cgroup.memory'), 'no'),
  },
  'as root without capabilities': { script: withoutPower('-all'), code: 1 },
  'as root without CAP_SETFCAP and CAP_SYS_ADMIN': { script: withoutPower('-setfcap,-sys_admin'), code: 1 },
  'as root without CAP_SETUID': { script: withoutPower('-setuid,-setgid'), code: 1 },
  'as the only user of a user namespace': {
    script: 'unshare --map-root-user "$@"',
    code: 1,
    sees: ({ mode, defaultRun }) => {
      assert.equal(defaultRun.refused, null)
      assert.equal(mode.isolation, 'user-namespace')
      assert.equal(defaultRun.weakened.find(({ name }) => name === 'user')?.status, 'weakened')
    },
  },
  // docs/docker.md and docs/kubernetes.md say so.
  'as root of a Docker container': {
    script: () => inDocker(),
    code: 1,
    sees: report => {
      weakensOnly([...noNamespaces, 'root weakened', 'devices weakened'])(report)
      assert.match(hintOf(report, 'namespace.user'), /docker run --security-opt seccomp=unconfined/)
      assert.match(hintOf(report, 'disk'), /docker run --cap-add SYS_ADMIN/)
      assert.match(hintOf(report, 'cgroup.memory'), /docker run .*-v \/sys\/fs\/cgroup/)
    },
  },
  'as root of a Docker container whose system calls are not filtered': {
    script: () => inDocker({ unfiltered: true }),
    code: 1,
    sees: report => {
      weakensOnly(['root weakened', 'devices weakened'])(report)
      assert.match(hintOf(report, 'root'), /docker run --security-opt systempaths=unconfined/)
    },
  },
  'as root of a Docker container whose system calls are not filtered and whose /proc is whole': {
    script: () => inDocker({ unfiltered: true, wholeProc: true }),
    code: 0,
    sees: weakensOnly([]),
  },
  'as root of a Docker container that was given CAP_SYS_ADMIN and its cgroups': {
    script: () => inDocker({ capabilities: ['sys_admin'], unfiltered: true, cgroups: true }),
    code: 0,
    sees: report => {
      weakensOnly([])(report)
      assert.deepEqual(
        report.rows.filter(({ name, status }) => name.startsWith('cgroup') && status !== 'yes'),
        [],
      )
    },
  },
  'as a user of a pod under the restricted standard': {
    script: () => inRestrictedPod(),
    needs: ['ordinary-user'],
    uid: ordinaryUid,
    code: 1,
    sees: weakensOnly([...noNamespaces, 'root weakened', 'devices weakened', 'user weakened']),
  },
  'without a native program': {
    script: '"$@"',
    env: { HOLDFAST_NATIVE: 'off' },
    code: 1,
    sees: report => assert.match(report.defaultRun.refused?.hint ?? '', /unset HOLDFAST_NATIVE/),
  },
}

/** Of a run without options; what a row is not named for is enforced. */
function weakensOnly(names: readonly string[]): (report: HostReport) => void {
  return ({ defaultRun }) => {
    assert.equal(defaultRun.refused, null)
    assert.deepEqual(
      defaultRun.weakened.map(({ name, status }) => `${name} ${status}`),
      names,
    )
  }
}

type Told = {
  readonly enforcement?: readonly Enforcement[]
  readonly error?: { message: string; hint?: string }
}

describe('doctor and run judge alike', function () {
  this.timeout(180_000)
  let state: string
  before(function () {
    requires(this, 'linux', 'root', 'native')
  })
  beforeEach(() => {
    state = temporaryDirectory('doctor')
  })
  afterEach(() => removeTemporary(state))

  for (const [where, { script, needs = [], env = {}, uid, code, sees }] of Object.entries(places)) {
    const holdfast = async (...args: string[]) => {
      const program = [process.execPath, compiled('src/cli/main.ts')]
      const line = [
        '-m',
        'sh',
        '-c',
        typeof script === 'string' ? script : script(),
        'sh',
        ...program,
        '--state-dir',
        `${state}/state`,
        ...args,
      ]
      const own = { PATH: process.env.PATH, HOME: state, TMPDIR: state, ...env }
      return execa('unshare', line, { cwd: packageRoot, reject: false, extendEnv: false, env: own })
    }
    const ran = async (...flags: string[]): Promise<Told> =>
      JSON.parse((await holdfast('run', '--rm', '--json', ...flags, '--', 'true')).stdout) as Told

    it(`${where}: the same rows, the same hints, the same refusal`, async function () {
      requires(this, ...needs)
      if (uid !== undefined) chownSync(state, uid, uid)
      const { stdout, exitCode } = await holdfast('doctor', '--json')
      assert.equal(exitCode, code)
      const report = JSON.parse(stdout) as HostReport
      sees?.(report)
      assert.deepEqual(readdirSync(state), [], 'it leaves nothing')
      sameRun(report.defaultRun, await ran())
      sameRun(report.basicRun, await ran('--basic'))
      sameRows(report)
      const strict = await holdfast('run', '--rm', '--strict', '--', 'true')
      const { refused, weakened } = report.defaultRun
      assert.equal(strict.exitCode === 0, refused === null && weakened.length === 0, strict.stderr)
      await sameLimits(report, ran)
      mkdirSync(`${state}/files`)
      if (uid !== undefined) chownSync(`${state}/files`, uid, uid)
      sameOverlay(report, await ran('--workspace', `${state}/files`, '--overlay'))
    })
  }
})

function sameRun(run: HostReport['defaultRun'], told: Told): void {
  if (run.refused === null) {
    assert.deepEqual(run.enforcement, told.enforcement)
    return
  }
  // A path of its directory may be in it.
  const words = (text: string) => text.replace(/\/\S+/g, '')
  assert.equal(words(run.refused.why), words(told.error?.message ?? 'it was started'))
  assert.equal(run.refused.hint, told.error?.hint ?? null)
}

const words = { enforced: 'yes', weakened: 'weakened', skipped: 'no' }

/** Each isolation of a run is a row of the table, by the same name, and there is none besides. */
function sameRows({ rows, defaultRun }: HostReport): void {
  if (defaultRun.refused !== null) return
  const isolations = defaultRun.enforcement.filter(row => row.kind === 'isolation' && row.name !== 'network')
  const known = new Set([
    'holdfast',
    'node',
    'kernel',
    'caller',
    'native',
    'cgroup',
    'unit',
    'network',
    'disk',
    'overlay',
  ])
  assert.deepEqual(
    rows
      .filter(({ name }) => !known.has(name) && !name.startsWith('cgroup.'))
      .map(({ name, status, hint }) => ({ name, status, hint })),
    isolations.map(({ name, status, hint }) => ({ name, status: words[status], hint })),
  )
}

function sameOverlay({ rows, defaultRun }: HostReport, { enforcement, error }: Told): void {
  const row = rows.find(({ name }) => name === 'overlay')
  if (defaultRun.refused !== null) {
    assert.equal(row?.status, 'no')
    return
  }
  const found = enforcement?.find(({ name }) => name === 'workspace')
  assert.equal(row?.status, found === undefined ? 'no' : words[found.status])
  const hint = (found === undefined ? error?.hint : found.hint) ?? null
  assert.equal(row.hint, hint && hint.replaceAll(/\/\S+\/files/g, 'DIR'))
}

const limits: Readonly<Record<string, readonly [flag: string, value: string, field: string]>> = {
  'cgroup.cpu': ['--cpus', '0.5', 'cpuLimit'],
  'cgroup.memory': ['--memory', '64M', 'memoryBytes'],
  'cgroup.pids': ['--pids', '100', 'pids'],
  disk: ['--disk', '4M', 'diskBytes'],
}

async function sameLimits(report: HostReport, ran: (...flags: string[]) => Promise<Told>): Promise<void> {
  const flags = Object.values(limits).flatMap(([flag, value]) => [flag, value])
  const { enforcement } = await ran(...flags)
  if (report.defaultRun.refused !== null) return
  for (const [name, [, , field]] of Object.entries(limits)) {
    const row = report.rows.find(found => found.name === name)
    const limit = enforcement?.find(found => found.name === field)
    assert.ok(row && limit, name)
    assert.equal(row.status === 'yes', limit.status === 'enforced', name)
    assert.equal(row.hint, limit.hint, name)
  }
}
