import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { compiled, nativePath, without } from '../attacks/hostile.ts'
import { runFixture } from '../support/fixture.ts'
import { isRoot } from '../support/identity.ts'
import { statFields } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'

type Fields = Readonly<Record<string, string>>
type Seen = Record<'caller' | 'shim' | 'task', Fields> & { readonly bytes: number; readonly end: string }

/**
 * A row of docs/inherited-state.md, a field, and what it is in the caller (what it passes on to any child: so
 * it has been changed), in the shim and in the task. Limits are of the soft one. Null: nothing shows it from
 * outside. `root`: only root can be started so.
 */
type Row = {
  readonly row: string
  readonly field: string
  readonly caller: RegExp
  readonly shim: RegExp | null
  readonly task: RegExp
  readonly root?: true
}

const mayRaise = isRoot && mayRaiseLimits()
const lastProcessor = processors().at(-1) ?? '0'
const only = new RegExp(`^${lastProcessor}$`)
/** But SIGKILL, SIGSTOP and the two that the C library keeps. */
const everySignal = /^f{7}e7ffbfeff$/
const bounding = 'rlimits cpu, fsize, data, as, rss, nofile'
const other = 'rlimits core, stack, nproc, memlock, locks, sigpending, msgqueue, nice, rtprio, rttime'

/** A shim is not dumpable: of these an ordinary user sees nothing. */
const hidden = new Set('personality stack memory descriptor marked cwd root uts mnt slack'.split(' '))

const rows: readonly Row[] = [
  row(bounding, 'Max cpu time', /^400 /, /^unlimited/, /^400 /),
  row(bounding, 'Max file size', /^1048576 /, /^unlimited/, /^1048576 /),
  row(bounding, 'Max data size', /^92160000000 /, /^unlimited/, /^92160000000 /),
  row(bounding, 'Max address space', /^99000000000000 /, /^unlimited/, /^99000000000000 /),
  row(bounding, 'Max resident set', /^92160000000 /, /^unlimited/, /^92160000000 /),
  row(bounding, 'Max open files', /^1000 /, /^1000 /, /^1000 /),
  row(other, 'Max core file size', /^8192 /, /^8192 /, /^8192 /),
  row(other, 'Max stack size', /^4194304 /, /^4194304 /, /^4194304 /),
  row(other, 'Max locked memory', /^40960 /, /^40960 /, /^40960 /),
  row(other, 'Max pending signals', /^333 /, /^333 /, /^333 /),
  row(other, 'Max msgqueue size', /^4444 /, /^4444 /, /^4444 /),
  row(other, 'Max file locks', /^55 /, /^55 /, /^55 /),
  row(other, 'Max realtime timeout', /^6666666 /, /^6666666 /, /^6666666 /),
  row('signal dispositions', 'SigIgn', everySignal, /^0000000001801000$/, /^0{16}$/),
  row('signal mask', 'SigBlk', everySignal, /^0000000000014803$/, /^0{16}$/),
  row('nice', 'nice', /^7$/, isRoot ? /^0$/ : /^7$/, /^7$/),
  row('I/O class', 'io', /^best-effort: prio 6$/, /^(?!best-effort: prio 6)/, /^best-effort: prio 6$/),
  row('scheduler policy', 'policy', /^3$/, /^0$/, /^3$/),
  row('CPU affinity', 'Cpus_allowed_list', only, only, only),
  row('oom_score_adj', 'oom', /^300$/, mayRaise ? /^-1000$/ : /^300$/, /^300$/),
  row('umask', 'Umask', /^0077$/, /^0022$/, /^0022$/),
  row('personality', 'personality', /^0+40000$/, /^0+$/, /^0+$/),
  row('personality', 'stack', /^\w+-7ffffffff000 /, /^\w+-(?!7ffffffff000 )/, /^\w+-(?!7ffffffff000 )/),
  row('timer slack', 'slack', /^7000000$/, /^50000$/, /^50000$/),
  row('huge pages', 'THP_enabled', /^0$/, /^1$/, /^1$/),
  row('memory policy', 'memory', /^\w+ bind:0 /, /^\w+ default /, /^\w+ default /),
  row('descriptors above 2', 'descriptor', /^open$/, /^none$/, /^none$/),
  row('session, process group', 'session', /^another's$/, /^own$/, /^own$/),
  row('controlling terminal', 'terminal', /^[1-9]/, /^0$/, /^0$/),
  row('session keyring', 'key', /^ok$/, null, /^ENOKEY$/),
  row('environment', 'marked', /^1$/, /^0$/, /^0$/),
  row('working directory', 'cwd', /^\/usr$/, /^\/$/, /^\/$/),
  row('root directory', 'root', /^caller's$/, /^caller's$/, /^own$/),
  root(row('namespaces', 'uts', /^caller's$/, /^caller's$/, /^own$/)),
  root(row('namespaces', 'mnt', /^caller's$/, /^caller's$/, /^own$/)),
  row('no_new_privs', 'NoNewPrivs', /^1$/, /^1$/, /^1$/),
  root(row('ambient and inheritable capabilities', 'CapAmb', /^0+2000$/, /^0+2000$/, /^0+$/)),
  root(row('ambient and inheritable capabilities', 'CapInh', /^0+2000$/, /^0+2000$/, /^0+$/)),
  root(row('securebits', 'securebits', /^4$/, null, /^3$/)),
  row('dumpable', 'dumpable', /^1$/, null, /^1$/),
]

describe('what whoever starts us was started with', function () {
  // A whole Node program each.
  this.timeout(120_000)
  let seen: Seen

  before(async function () {
    requires(this, 'isolation', 'linux', 'native')
    await withWorkbench('linux', async bench => {
      seen = await seenUnder(changed(), bench.stateDir)
    })
  })

  for (const { row, field, caller, shim, task, root } of rows)
    it(`${row}, ${field}: in the shim and in the task as documented`, function () {
      if (root) requires(this, 'root')
      assert.match(seen.caller[field] ?? '', caller, `what the caller passes on: ${field}`)
      if (shim !== null && (isRoot || !hidden.has(field)))
        assert.match(seen.shim[field] ?? '', shim, `the shim's ${field}`)
      assert.match(seen.task[field] ?? '', task, `the task's ${field}`)
    })

  it('a file size limit of the caller ends neither the shim that writes a longer log nor the task', () =>
    withWorkbench('linux', async bench => {
      const { bytes, end } = await seenUnder('ulimit -S -f 2048; exec "$@"', bench.stateDir, 3_000_000)
      assert.deepEqual([bytes, end], [3_000_000, 'exited 0'])
    }))

  it('a priority that cannot be had again is kept, and tasks start all the same', function () {
    requires(this, 'root')
    const through = 'exec nice -n -5 chrt --rr 5 setpriv --bounding-set=-sys_nice "$@"'
    return withWorkbench('linux', async bench => {
      const { shim, task, end } = await seenUnder(through, bench.stateDir)
      const nice = String(getPriority() - 5)
      assert.deepEqual(
        [shim.nice, shim.policy, task.nice, task.policy, end],
        [nice, '2', nice, '2', 'exited 0'],
      )
    })
  })

  it('docs/inherited-state.md has these rows and no other', () => {
    const text = readFileSync(join(packageRoot, 'docs/inherited-state.md'), 'utf8')
    const [, table = ''] = /\n\| state \|[^\n]*\n[^\n]*\n((?:\|[^\n]*\n)+)/.exec(text) ?? []
    const documented = [...table.matchAll(/^\| ([^|]+?) +\|/gm)].map(([, name = '']) => name)
    assert.deepEqual(documented.sort(), [...new Set(rows.map(({ row }) => row))].sort())
  })
})

function row(row: string, field: string, caller: RegExp, shim: RegExp | null, task: RegExp): Row {
  return { row, field, caller, shim, task }
}

function root(row: Row): Row {
  return { ...row, root: true }
}

/** A shell script that becomes the caller with all of it changed at once. */
function changed(): string {
  const limits = [
    '--cpu=400: --fsize=1048576: --data=92160000000: --as=99000000000000: --rss=92160000000: --nofile=1000:1000',
    '--core=8192: --stack=4194304: --memlock=40960: --sigpending=333: --msgqueue=4444: --locks=55: --rttime=6666666:',
  ]
  const privileges = isRoot ? 'unshare --uts setpriv --inh-caps=+net_raw --ambient-caps=+net_raw' : 'setpriv'
  return `
    prlimit --pid $$ ${limits.join(' ')} && renice -n 7 $$ >/dev/null && choom -n 300 -p $$ >/dev/null || exit 1
    umask 077; cd /usr; export BORN=1
    exec ${privileges} --no-new-privs setarch -R ionice -c 2 -n 6 chrt -b 0 taskset -c ${lastProcessor} \\
      ${compiled('born')} of "$@"`
}

/**
 * Starts a supervisor that was started so, and a task by it. The task shows itself, the shim is looked at
 * while it runs.
 */
async function seenUnder(through: string, stateDir: string, bytes = 0): Promise<Seen> {
  const born = compiled('born')
  // Node resets most signals in its children: who starts the native program is to be one that does not.
  const env = { HOLDFAST_NATIVE: without(nativePath(), born, 'signals'), TSX_DISABLE_CACHE: '1' }
  const options = { stateDir, through, env, arguments: [stateDir, born, String(bytes)] }
  const { stdout } = await runFixture('born.ts', options)
  const said = JSON.parse(stdout) as Omit<Seen, 'caller' | 'shim' | 'task'> &
    Record<'caller' | 'shim' | 'task', string>
  const caller = fields(said.caller)
  const beside = (text: string) => besideCaller(fields(text), caller)
  return { ...said, caller: beside(said.caller), shim: beside(said.shim), task: beside(said.task) }
}

function fields(text: string): Fields {
  const lines = text.split('\n')
  const named = lines.flatMap(line => {
    const [, name, value] = /^(Max .*?) {2,}(.*)$/.exec(line) ?? /^(\w+):\s+(.*)$/.exec(line) ?? []
    return name === undefined ? [] : [[name, value]]
  })
  const all = Object.fromEntries(named) as Record<string, string>
  const { stat = '' } = all
  const numbers = statFields(stat)
  return {
    ...all,
    nice: numbers[19] ?? '',
    policy: numbers[41] ?? '',
    session: numbers[6] === numbers[1] ? 'own' : "another's",
    terminal: numbers[7] ?? '',
  }
}

function besideCaller(fields: Fields, caller: Fields): Fields {
  const same = (name: string) => (fields[name] === caller[name] ? "caller's" : 'own')
  return { ...fields, root: same('root'), uts: same('uts'), mnt: same('mnt') }
}

function mayRaiseLimits(): boolean {
  const [, effective = '0'] = /^CapEff:\s+(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
  const resource = 24n
  return ((BigInt(`0x${effective}`) >> resource) & 1n) === 1n
}

function processors(): string[] {
  if (process.platform !== 'linux') return []
  const list = execFileSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' })
  return list.trim().split(/\D+/)
}
