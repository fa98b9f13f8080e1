import assert from 'node:assert/strict'
import { execFile as execFileOf } from 'node:child_process'
import { promisify } from 'node:util'
import { isRoot } from '../support/identity.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'

const execFile = promisify(execFileOf)
const library = new URL('../../src/index.ts', import.meta.url).href

type Seen = Record<'shim' | 'task', Record<string, string>> & { readonly bytes: number; readonly end: string }

/** How the supervisor is started, and what its shim and its task are to be seen with. Limits are of the soft one. */
const rows: readonly {
  readonly what: string
  readonly start: string
  readonly field: string
  readonly shim: RegExp
  readonly task: RegExp
}[] = [
  row('file size', 'ulimit -S -f 2048', 'Max file size', /^unlimited/, /^1048576 /),
  row('processor time', 'ulimit -S -t 400', 'Max cpu time', /^unlimited/, /^400 /),
  row('data', 'ulimit -S -d 90000000', 'Max data size', /^unlimited/, /^92160000000 /),
  row(
    'core size, which is about nobody but the task',
    'ulimit -S -c 16',
    'Max core file size',
    /^8192 /,
    /^8192 /,
  ),
  row('niceness', 'renice -n 7 $$ >/dev/null', 'nice', isRoot ? /^0$/ : /^7$/, /^7$/),
  row('scheduling', 'chrt -b -p 0 $$', 'policy', /^0$/, /^3$/),
  row('no random addresses', 'exec setarch -R "$@"', 'personality', /^0+$/, /^0+$/),
  row('ignored signals', 'trap "" USR1 TERM XFSZ', 'SigIgn', /^0000000001801000$/, /^0{16}$/),
  row('umask', 'umask 077', 'Umask', /^0022$/, /^0022$/),
]

describe('what whoever starts us was started with', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const { what, start, field, shim, task } of rows)
    it(`${what}: put back for the shim; for the task as documented`, () =>
      withWorkbench('linux', async bench => {
        const seen = await seenUnder(start, bench.stateDir)
        assert.match(seen.shim[field] ?? '', shim, `the shim's ${field}`)
        assert.match(seen.task[field] ?? '', task, `the task's ${field}`)
      }))

  it('a file size limit of the caller ends neither the shim that writes a longer log nor the task', () =>
    withWorkbench('linux', async bench => {
      const { bytes, end } = await seenUnder('ulimit -S -f 2048', bench.stateDir, 3_000_000)
      assert.deepEqual([bytes, end], [3_000_000, 'exited 0'])
    }))
})

function row(what: string, start: string, field: string, shim: RegExp, task: RegExp) {
  return { what, start, field, shim, task }
}

/** Starts a supervisor that was started so, and a task by it. The task shows itself, the shim is looked at while it runs. */
async function seenUnder(start: string, stateDir: string, bytes = 0): Promise<Seen> {
  const program = `
    import { readdirSync, readFileSync } from 'node:fs'
    import { join } from 'node:path'
    const { Supervisor, setCommand } = await import(${JSON.stringify(library)})
    const supervisor = new Supervisor({ stateDir: ${JSON.stringify(stateDir)} })
    const task = supervisor.executor('linux')
    const script = 'cd /proc/self; cat limits status; echo "stat: $(cat stat)"; echo "personality: $(cat personality)"; echo shown; head -c ${bytes} /dev/zero >&2; read x'
    setCommand(task, '/bin/sh', ['-c', script])
    task.command.logs = { maxBytes: 8_000_000, maxFiles: 2 }
    const fifo = join(${JSON.stringify(stateDir)}, 'go')
    const { execFileSync } = await import('node:child_process')
    execFileSync('mkfifo', ['-m', '600', fifo])
    const { openSync, constants, closeSync } = await import('node:fs')
    const hold = openSync(fifo, constants.O_RDWR)
    task.command.stdin = fifo
    await task.start()
    const text = async stream => {
      const chunks = []
      await task.logs$(stream, { follow: false, fromStart: true }).forEach(chunk => chunks.push(Buffer.from(chunk)))
      return Buffer.concat(chunks).toString('latin1')
    }
    let shown = ''
    while (!shown.includes('shown')) shown = await text('stdout')
    const { shim } = JSON.parse(readFileSync(join(${JSON.stringify(stateDir)}, 'tasks', readdirSync(join(${JSON.stringify(stateDir)}, 'tasks'))[0], 'start.json'), 'utf8'))
    const of = pid => ['limits', 'status'].map(name => readFileSync('/proc/' + pid + '/' + name, 'latin1')).join('') +
      'stat: ' + readFileSync('/proc/' + pid + '/stat', 'latin1') + 'personality: ' + readFileSync('/proc/' + pid + '/personality', 'latin1')
    const looked = of(shim.pid)
    const { writeSync } = await import('node:fs')
    writeSync(hold, 'x' + String.fromCharCode(10))
    const end = await task.wait()
    console.log(JSON.stringify({ shim: looked, task: shown, bytes: (await text('stderr')).length, end: end.cause + ' ' + end.exitCode }))
    closeSync(hold)
    await task.destroy()
    await supervisor.close()`
  const shell = start.startsWith('exec ') ? start : `${start}; exec "$@"`
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', program]
  const env = { ...process.env, TSX_DISABLE_CACHE: '1' }
  const { stdout } = await execFile('/bin/sh', ['-c', shell, 'sh', ...node], { env, maxBuffer: 1 << 24 })
  const seen = JSON.parse(stdout) as { shim: string; task: string; bytes: number; end: string }
  return { ...seen, shim: fields(seen.shim), task: fields(seen.task) }
}

function fields(text: string): Record<string, string> {
  const lines = text.split('\n')
  const limits = lines.flatMap(line => {
    const [, name, value] = /^(Max .*?) {2,}(.*)$/.exec(line) ?? []
    return name === undefined ? [] : [[name, value]]
  })
  const named = lines.flatMap(line => {
    const [, name, value] = /^(\w+):\s+(.*)$/.exec(line) ?? []
    return name === undefined ? [] : [[name, value]]
  })
  const all = Object.fromEntries([...limits, ...named]) as Record<string, string>
  const stat = (all.stat ?? '').slice((all.stat ?? '').lastIndexOf(')') + 2).split(' ')
  return { ...all, nice: stat[16] ?? '', policy: stat[38] ?? '' }
}
