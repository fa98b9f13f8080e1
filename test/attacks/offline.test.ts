import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { Enforcement } from '../../src/index.ts'
import { nativeFeatures } from '../../src/spawn/probe.ts'
import { homeOfOrdinaryUser } from '../support/ordinary-user.ts'
import { requires } from '../support/requires.ts'
import {
  holdfastBy,
  holdfastProgram,
  holdfastWithout,
  runWithoutUserNamespace,
} from '../support/without-user-namespace.ts'
import { compiled, nativePath, parseVerdicts, withoutCall } from './hostile.ts'

describe('attack: a task without network that cannot have a namespace of its own for it', function () {
  this.timeout(120_000)
  let home: string
  let door: ChildProcess
  let listener: Server
  let port: string
  let landlock: number

  before(async function () {
    requires(this, 'root', 'linux', 'native', 'ordinary-user')
    landlock = nativeFeatures(nativePath())?.landlock ?? 0
    home = homeOfOrdinaryUser()
    listener = createServer(socket => socket.destroy()).listen(0, '127.0.0.1')
    await once(listener, 'listening')
    port = String((listener.address() as AddressInfo).port)
    door = spawn(compiled('offline'), ['serve', `${home}/door`], { stdio: ['ignore', 'pipe', 'inherit'] })
    if (door.stdout !== null) await once(door.stdout, 'data')
  })
  after(() => {
    door?.kill('SIGKILL')
    listener?.close()
  })

  // It may read nothing of the host's, but it has a home.
  const script = `cat > $HOME/it && chmod +x $HOME/it && exec $HOME/it try "$0" "$1"`
  const attack = () => ['sh', '-c', script, `${home}/door`, port]
  const hostile = () => readFileSync(compiled('offline'))

  const always = { netlink: 'ok', 'unix-pair': 'ok', handed: 'ok' }
  const ways = ['tcp', 'fast-open', 'udp', 'listen']

  function refused(version = landlock) {
    const missing = [...ways, 'mptcp', 'tipc-pair'].map(name => [name, 'EAFNOSUPPORT'])
    const handed = version >= 4 ? 'EACCES' : 'ok'
    return {
      ...Object.fromEntries(missing),
      ...(process.arch === 'x64' && { 'i386-socketcall': 'ENOSYS' }),
      ...always,
      'handed-connect': handed,
      'handed-bind': handed,
    }
  }

  const run = ['run', '--json', '--interactive']
  const asked = ['--network', 'none']

  async function seenBy(flags: readonly string[], holdfast = holdfastProgram()) {
    const program = [...holdfast, ...run, ...flags, '--', ...attack()]
    const { code, stdout, stderr } = await runWithoutUserNamespace(home, program, hostile())
    assert.equal(code, 0, stderr)
    const { enforcement } = JSON.parse(stdout) as { enforcement: Enforcement[] }
    const logs = await holdfastWithout(home, 'logs', 'sh')
    return {
      row: enforcement.find(({ name }) => name === 'network'),
      verdicts: parseVerdicts(logs.stdout, logs.stderr),
    }
  }

  it('reaches nothing of it by any socket of its own, nor by TCP with one that it is handed; the row says what is left', async () => {
    const { row, verdicts } = await seenBy(asked)
    assert.deepEqual(verdicts, refused())
    assert.deepEqual([row?.requested, row?.status, row?.chosen], ['none', 'weakened', false])
    assert.match(
      row?.reason ?? '',
      /without loopback, and can make only unix and netlink sockets; a socket that somebody hands/,
    )
  })

  it('nor does what exec() brings into it', async () => {
    // In the user namespace of the task's supervisor: nobody else's may enter it.
    const both = `node=$1 main=$2; shift 2
      "$node" "$main" run --detach --name quiet ${asked.join(' ')} -- sleep 1000 </dev/null >&2 &&
      "$node" "$main" exec --interactive quiet -- "$@"; "$node" "$main" kill quiet >&2`
    const program = ['sh', '-c', both, 'sh', ...holdfastProgram(), ...attack()]
    const { stdout, stderr } = await runWithoutUserNamespace(home, program, hostile())
    assert.deepEqual(parseVerdicts(stdout), refused(), stderr)
  })

  it('control: without Landlock it connects and binds what it is handed, and the row says so', async () => {
    const native = withoutCall()
    const { row, verdicts } = await seenBy(asked, holdfastBy(native))
    assert.deepEqual(verdicts, refused(0))
    assert.match(row?.reason ?? '', /that somebody hands it works \(version 0 of Landlock, without TCP/)
  })

  it('control: with the network of the host all of it succeeds', async () => {
    const { row, verdicts } = await seenBy([])
    assert.deepEqual([row?.status, row?.chosen], ['skipped', true])
    // What a kernel may lack.
    const { 'i386-socketcall': _, mptcp: _mptcp, 'tipc-pair': _pair, ...found } = verdicts
    const ok = [...ways, 'handed-connect', 'handed-bind'].map(name => [name, 'ok'])
    assert.deepEqual(found, { ...Object.fromEntries(ok), ...always })
  })
})
