import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StartRecord } from '../../machines/index.ts'
import type { AuditReport } from '../../src/index.ts'
import { compiled } from '../support/compiled.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { destroyAll, type Ended, holdfast, start } from './program.ts'

describe('the commands on tasks', function () {
  // Each call is a whole program: seconds, on a machine that is busy with other tests.
  this.timeout(180_000)

  let stateDir: string
  const cli = (...args: string[]): Promise<Ended> => holdfast(stateDir, ...args)
  const detached = async (name: string, ...command: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli('run', '--basic', '--detach', '--name', name, '--', ...command)
    assert.equal(code, 0, stderr)
    return stdout.trim()
  }

  beforeEach(() => {
    stateDir = temporaryDirectory('cli')
  })
  afterEach(async () => {
    await destroyAll(stateDir)
    removeTemporary(stateDir)
  })

  it('follow one task from call to call: ps, stats, stop, wait, rm', async () => {
    const key = await detached('web', 'sleep', '1000')

    const running = await cli('ps')
    assert.match(running.stdout, new RegExp(`^KEY .*COMMAND\\n${key}  web +running +\\d+ .* sleep 1000\\n$`))

    assert.equal((await cli('ps', '-q')).stdout, `${key}\n`)

    const usage = JSON.parse((await cli('stats', 'web', '--json')).stdout)
    assert.deepEqual(usage.tasks[0].task, { key, name: 'web' })
    assert.ok(usage.tasks[0].pids >= 1)

    const refused = await cli('rm', 'web')
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      new RegExp(`task web \\(${key}\\) is running\\n {2}hint: .*holdfast rm --force ${key}`),
    )

    assert.match(
      (await cli('stop', '--target', 'all', 'web')).stderr,
      /--target: got "all", takes group or leader/,
    )
    const stopped = await cli('stop', '--target', 'leader', key.slice(0, -2))
    assert.match(stopped.stdout, new RegExp(`^web \\[${key}\\] was ended by SIGTERM \\(stopped as asked\\)`))
    assert.equal(stopped.code, 0)
    assert.match((await cli('stop', 'web')).stdout, /had ended before: was ended by SIGTERM/)

    assert.equal((await cli('wait', 'web')).code, 143)
    assert.doesNotMatch((await cli('ps')).stdout, /web/)
    assert.deepEqual([(await cli('ps', '-q')).stdout, (await cli('ps', '-qa')).stdout], ['', `${key}\n`])
    assert.match((await cli('ps', '--all')).stdout, /web +exited .* shutdown +SIGTERM +sleep 1000/)
    assert.match((await cli('stats', 'web')).stderr, /is exited: it uses nothing/)

    assert.deepEqual(await cli('rm', 'web'), { code: 0, stdout: `${key}\n`, stderr: '' })
    assert.deepEqual(JSON.parse((await cli('ps', '--all', '--json')).stdout), { tasks: [], quarantined: [] })
  })

  it('kill ends one that ignores being asked; stop takes a signal and a grace time', async () => {
    const stubborn = ['sh', '-c', 'trap "" TERM INT; echo ready; while :; do sleep 0.05; done']
    for (const name of ['one', 'two']) {
      await detached(name, ...stubborn)
      await start(stateDir, ['logs', '-f', name]).printed('ready')
    }
    const killed = JSON.parse((await cli('kill', 'one', '--json')).stdout)
    assert.deepEqual([killed.task.name, killed.signal, killed.cause], ['one', 'SIGKILL', 'forced'])
    const stopped = JSON.parse(
      (await cli('stop', 'two', '--signal', 'int', '--grace', '100ms', '--json')).stdout,
    )
    assert.deepEqual([stopped.task.name, stopped.signal, stopped.cause], ['two', 'SIGKILL', 'forced'])
  })

  it('history tells what has happened, as a table and as lines of JSON', async () => {
    await detached('web', 'sleep', '1000')
    await cli('stop', 'web')
    const { stdout } = await cli('history', 'web')
    assert.match(
      stdout,
      /^NO +TIME +AFTER +STATE +EVENT +DETAILS\n1 .*configured → limited +(?:START|LIMIT)\n/,
    )
    assert.match(
      stdout,
      /3 .*running → stopping +STOP +SIGTERM, grace 5 s\n4 .*stopping → exited +EXITED +shutdown, SIGTERM\n$/,
    )
    const lines = (await cli('history', '--json', 'web')).stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines.map(line => JSON.parse(line).sequence).filter(sequence => sequence !== null),
      [1, 2, 3, 4],
    )
    assert.doesNotMatch(lines.join(), /sleep/)
    assert.match((await cli('history', 'nobody')).stderr, /there is no task "nobody"/)
  })

  it('verify prints what was asked for and what is in force, and 1 says that they differ', async () => {
    const key = await detached('web', 'sleep', '1000')
    const held = await cli('verify', 'web')
    assert.equal(held.code, 0, held.stdout)
    assert.match(held.stdout, /^NAME +ASKED +STATUS +VERDICT +IN FORCE +AT START\n/)
    assert.match(held.stdout, /\nnetwork +host +skipped +unverifiable +- +-\n/)
    const path = join(stateDir, 'tasks', key, 'task.json')
    const record = JSON.parse(readFileSync(path, 'utf8'))
    const row = {
      name: 'rlimits.core',
      kind: 'limit',
      requested: '0:0',
      status: 'enforced',
      reason: null,
      hint: null,
      chosen: true,
    }
    record.spec.enforcement = [row]
    record.spec.asked.rlimits = [{ name: 'nofile', soft: 1, hard: 1 }]
    record.spec.enforcement.push({ ...row, name: 'rlimits.nofile', requested: '1:1' })
    writeFileSync(path, JSON.stringify(record))
    const differs = await cli('verify', '--json', 'web')
    assert.equal(differs.code, 1)
    const document = JSON.parse(differs.stdout)
    assert.deepEqual(
      [document.task, document.verdict, document.live],
      [{ key, name: 'web' }, 'differs', true],
    )
    assert.deepEqual(
      document.rows.map((each: { name: string; verdict: string }) => [each.name, each.verdict]),
      [
        ['rlimits.core', 'unverifiable'],
        ['rlimits.nofile', 'differs'],
      ],
    )
    await cli('kill', 'web')
    assert.equal((await cli('verify', 'web')).code, 2)
    assert.equal((await cli('verify', 'nobody')).code, 2)
    assert.equal((await cli('verify')).code, 2)
  })

  it('graph prints the state chart', async () => {
    assert.match((await cli('graph')).stdout, /^stateDiagram-v2\n/)
    assert.equal(JSON.parse((await cli('graph', '--format', 'json')).stdout).id, 'task')
    assert.match((await cli('graph', '--format', 'svg')).stdout, /^<svg .*<\/svg>\n$/s)
    const refused = await cli('graph', '--format', 'png')
    assert.deepEqual([refused.code, /takes "mermaid"/.test(refused.stderr)], [1, true])
  })

  it('exec runs a second command inside one, with its own code, streams and input, and leaves the task alone', async () => {
    await detached('web', 'sh', '-c', 'echo begun; sleep 1000')
    await start(stateDir, ['logs', '-f', 'web']).printed('begun')
    const ended = await cli(
      'exec',
      '-q',
      '-e',
      'WHO=you',
      'web',
      '--',
      'sh',
      '-c',
      'echo "for $WHO"; echo no >&2; exit 7',
    )
    assert.deepEqual(ended, { code: 7, stdout: 'for you\n', stderr: 'no\n' })
    assert.equal((await cli('exec', 'web', '--', 'sh', '-c', 'kill -9 $$')).code, 137)
    const missing = await cli('exec', 'web', 'nothing-of-that-name')
    assert.deepEqual([missing.code, missing.stdout], [127, ''])
    const document = JSON.parse((await cli('exec', '--json', 'web', 'true')).stdout)
    assert.deepEqual([document.task.name, document.exitCode], ['web.true', 0])

    const kept = (await cli('exec', '--detach', 'web', 'sh', '-c', 'echo kept; exit 4')).stdout.trim()
    assert.equal((await cli('wait', kept)).code, 4)
    assert.equal((await cli('logs', kept)).stdout, 'kept\n')
    const tasks = JSON.parse((await cli('ps', '--all', '--json')).stdout).tasks as {
      name: string
      state: string
    }[]
    assert.deepEqual(
      tasks.map(({ name, state }) => [name, state]).sort(),
      [
        ['web', 'running'],
        ['web.sh', 'exited'],
      ],
      'what was waited for is gone, what was detached is kept',
    )
    await cli('stop', '--grace', '0s', 'web')
    assert.match((await cli('exec', 'web', 'true')).stderr, /exec\(\) is refused: the task has ended/)
    assert.equal((await cli('exec', 'web', 'true')).code, 125)
  })

  it('exec -i passes input on to its end', async () => {
    await detached('web', 'sleep', '1000')
    const { child, ended } = start(stateDir, ['exec', '-q', '-i', 'web', '--', 'cat'], {}, 'pipe')
    child.stdin?.end('line one\nline two\n')
    assert.deepEqual(await ended, { code: 0, stdout: 'line one\nline two\n', stderr: '' })
  })

  it('update changes limits, prints what became of them, and wants one', async () => {
    const key = await detached('web', 'sleep', '1000')
    const changed = await cli('update', 'web', '--memory', '64M', '--timeout', '1h')
    assert.equal(changed.code, 2, 'the basic executor has no limit of memory')
    assert.match(
      changed.stdout,
      new RegExp(`^web \\[${key}\\]\n {2}enforced +time 1h\n {2}skipped +memory 64 MiB: `),
    )
    const { enforcement } = JSON.parse((await cli('update', '--timeout', '2h', '--json', 'web')).stdout)
    assert.deepEqual(
      enforcement
        .filter(({ kind }: { kind: string }) => kind === 'limit')
        .map(({ name, requested }: { name: string; requested: string }) => [name, requested]),
      [
        ['memoryBytes', String(64 * 1024 * 1024)],
        ['wallTimeMs', '7200000'],
      ],
    )
    assert.match((await cli('update', 'web')).stderr, /no limit is given/)
    assert.match((await cli('update', '--memory', '1K', 'web')).stderr, /--memory.*1024/)
    assert.equal((await cli('update', '--pids', '5', 'nobody')).code, 1)
    await cli('update', 'web', '--timeout', '1ms')
    assert.equal((await cli('wait', 'web')).code, 124)
  })

  it('rm --force kills and removes one that runs', async () => {
    await detached('web', 'sleep', '1000')
    assert.equal((await cli('rm', '--force', 'web')).code, 0)
    assert.deepEqual(JSON.parse((await cli('ps', '--all', '--json')).stdout).tasks, [])
  })

  it('rm --force kills and removes one whose task.json is damaged; rm alone says what is wrong', async () => {
    const key = await detached('web', 'sleep', '1000')
    const path = join(stateDir, 'tasks', key, 'task.json')
    const start = JSON.parse(readFileSync(join(stateDir, 'tasks', key, 'start.json'), 'utf8')) as StartRecord
    writeFileSync(path, 'damaged')
    const refused = await cli('rm', key)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /task\.json is no JSON.*\n {2}hint: .*holdfast rm --force/)
    assert.equal(readFileSync(path, 'utf8'), 'damaged')
    assert.ok(existsSync(`/proc/${start.task.pid}`))
    assert.deepEqual(await cli('rm', '--force', key), { code: 0, stdout: `${key}\n`, stderr: '' })
    assert.equal(existsSync(`/proc/${start.task.pid}`), false)
    assert.deepEqual([existsSync(path), readdirSync(join(stateDir, 'allocs'))], [false, []])
    assert.deepEqual(JSON.parse((await cli('ps', '--all', '--json')).stdout), { tasks: [], quarantined: [] })
  })

  it('audit lists what is left over, and removes it with --fix', async () => {
    const key = await detached('web', 'sleep', '1000')
    const half = join(stateDir, 'tasks', '0123456789abcd')
    mkdirSync(half)
    const ours = (stdout: string) => {
      const { leftovers } = JSON.parse(stdout) as AuditReport
      return leftovers.filter(({ path }) => path.startsWith(stateDir) || path.includes(key))
    }
    assert.deepEqual(ours((await cli('audit', '--json')).stdout), [], 'it is too young')
    utimesSync(half, 1, 1)
    const found = await cli('audit')
    assert.equal(found.code, 1)
    assert.match(found.stdout, new RegExp(`\\ntask +left +${half} +it has no task.json`))
    assert.match(found.stdout, /\nRemove it: holdfast audit --fix\n$/)
    assert.ok(existsSync(half))
    const fixed = await cli('audit', '--fix', '--json')
    assert.deepEqual(
      ours(fixed.stdout).map(({ kind, path, fixed: gone }) => [kind, path, gone]),
      [['task', half, true]],
    )
    const { ok } = JSON.parse(fixed.stdout)
    assert.equal(fixed.code, ok ? 0 : 1)
    assert.equal(existsSync(half), false)
    assert.deepEqual(ours((await cli('audit', '--json')).stdout), [])
    assert.match((await cli('ps')).stdout, new RegExp(key))
  })

  it('logs prints either stream byte for byte, its end, or all of it until the task ends', async () => {
    await detached('job', 'sh', '-c', 'printf "a\\nb\\n\\377\\n"; echo oops >&2')
    assert.equal((await cli('wait', 'job')).code, 0)
    assert.equal((await cli('logs', 'job')).stdout, 'a\nb\n\ufffd\n')
    assert.equal((await cli('logs', '--stderr', 'job')).stdout, 'oops\n')
    assert.equal((await cli('logs', '--stdout', '--tail', '2', 'job')).stdout, 'b\n\ufffd\n')
    assert.match((await cli('logs', '--tail', 'x', 'job')).stderr, /--tail: got "x", takes a whole number/)

    await detached('live', 'sh', '-c', 'trap "echo end; exit" TERM; echo begin; while :; do sleep 0.05; done')
    const following = start(stateDir, ['logs', '-f', '--stdout', 'live'])
    await following.printed('begin')
    await cli('stop', 'live')
    assert.deepEqual(await following.ended, { code: 0, stdout: 'begin\nend\n', stderr: '' })
  })

  it('logs prints both streams in order, each where it belongs, with times and from a time on', async () => {
    await detached('both', 'sh', '-c', 'echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three')
    assert.equal((await cli('wait', 'both')).code, 0)
    assert.deepEqual(await cli('logs', 'both'), { code: 0, stdout: 'one\nthree\n', stderr: 'two\n' })
    const timed = await cli('logs', '--timestamps', 'both')
    assert.match(timed.stdout, /^\d{4}-\d\d-\d\dT[\d:.]+Z one\n\S+ three\n$/)
    assert.match(timed.stderr, /^\S+Z two\n$/)
    const [, third = ''] = /(\S+) three/.exec(timed.stdout) ?? []
    assert.deepEqual(await cli('logs', '--since', third, 'both'), { code: 0, stdout: 'three\n', stderr: '' })
    assert.equal((await cli('logs', '--tail', '2', 'both')).stderr, 'two\n')
    assert.match(
      (await cli('logs', '--since', 'noon', 'both')).stderr,
      /--since: got "noon", takes a time such as/,
    )
  })

  it('a run whose output can go nowhere stops its task, names it and says why; one that is detached is named', async () => {
    for (const [options, said] of [
      [[], /cannot print: ENOSPC.*\nholdfast: task \w+ \(sh\) is stopped for that\n/],
      [['--detach'], /cannot print: ENOSPC.*\nholdfast: task \w+ \(sh\) goes on\n/],
    ] as const) {
      const words = ['run', '--quiet', ...options, '--', 'sh', '-c', 'while echo more; do sleep 0.05; done']
      const program = [process.execPath, compiled('src/cli/main.ts'), '--state-dir', stateDir, ...words]
      const { status, stderr } = spawnSync('/bin/sh', ['-c', '"$@" > /dev/full', 'sh', ...program], {
        encoding: 'utf8',
      })
      assert.equal(status, 125)
      assert.match(stderr, said)
    }
  })

  it('a detached run with nothing to say there is not disturbed by standard error on a full disk', () => {
    const words = ['run', '--basic', '--detach', '--name', 'silent', '--', 'sleep', '1000']
    const program = [process.execPath, compiled('src/cli/main.ts'), '--state-dir', stateDir, ...words]
    const { status, stdout } = spawnSync('/bin/sh', ['-c', '"$@" 2> /dev/full', 'sh', ...program], {
      encoding: 'utf8',
    })
    assert.equal(status, 0)
    assert.match(stdout, /^\w{14}\n$/)
  })

  it('logs of a task that runs prints what there is and is done; nobody waits for the end of the task', async () => {
    await detached('going', 'sh', '-c', 'echo begun; sleep 1000')
    await start(stateDir, ['logs', '-f', 'going']).printed('begun')
    assert.deepEqual(await cli('logs', 'going'), { code: 0, stdout: 'begun\n', stderr: '' })
    assert.deepEqual(await cli('logs', '--stderr', 'going'), { code: 0, stdout: '', stderr: '' })
  })

  it('logs of a task whose log is rotated are one: the end that is kept, or all of it for who follows', async () => {
    const rotated = ['--log-max-size', '4K', '--log-max-files', '3', '--name', 'rotated']
    const script =
      'read go < $HOLDFAST_TASK_DIR/go; for i in $(seq 20); do seq $((i*100)) $((i*100+99)); sleep 0.1; done'
    const { stdout: key } = await cli(
      'run',
      '--basic',
      '--detach',
      ...rotated,
      '--',
      'sh',
      '-c',
      `mkfifo $HOLDFAST_TASK_DIR/go; ${script}`,
    )
    const allocation = join(stateDir, 'allocs', key.trim())
    const following = start(stateDir, ['logs', '-f', 'rotated'])
    const last = start(stateDir, ['logs', '-f', '--tail', '1', 'rotated'])
    while (!existsSync(join(allocation, 'rotated/local/go'))) await sleep(20)
    writeFileSync(join(allocation, 'rotated/local/go'), 'now\n')
    const all = Array.from({ length: 2000 }, (_, index) => `${index + 100}\n`).join('')
    assert.deepEqual(await following.ended, { code: 0, stdout: all, stderr: '' })
    const { stdout: end } = await last.ended
    assert.ok(end.endsWith('2099\n') && all.endsWith(end), end.slice(0, 100))
    assert.equal((await cli('wait', 'rotated')).code, 0)
    const kept = (await cli('logs', 'rotated')).stdout
    assert.equal(kept, all.slice(-kept.length))
    assert.equal(kept.length, 2 * 4096 + (all.length % 4096))
    assert.equal((await cli('logs', '--tail', '3', 'rotated')).stdout, '2097\n2098\n2099\n')
    const files = readdirSync(join(allocation, 'alloc/logs')).filter(name =>
      name.startsWith('rotated.stdout'),
    )
    assert.deepEqual(files.sort(), ['rotated.stdout', 'rotated.stdout.1', 'rotated.stdout.2'])
  })

  it('logs whose reader goes away end without a word', async () => {
    await detached('chatty', 'sh', '-c', 'while :; do echo y; done')
    const { child, ended, printed } = start(stateDir, ['logs', '-f', 'chatty'])
    await printed('y')
    child.stdout?.destroy()
    const { code, stderr } = await ended
    assert.deepEqual([code, stderr], [0, ''])
  })

  it('wait tells of the end as JSON', async () => {
    const key = await detached('job', 'sh', '-c', 'exit 9')
    const { code, stdout, stderr } = await cli('wait', '--json', 'job')
    const { task, exitCode, cause } = JSON.parse(stdout)
    assert.deepEqual([code, stderr, task, exitCode, cause], [9, '', { key, name: 'job' }, 9, 'exited'])
  })

  it('wait --timeout leaves a task that goes on alone and exits as timeout(1) does; an end that is there is told', async () => {
    const key = await detached('long', 'sleep', '1000')
    assert.deepEqual(await cli('wait', '--timeout', '10ms', 'long'), {
      code: 124,
      stdout: '',
      stderr: `holdfast: long [${key}] has not ended after 10ms\n`,
    })
    const { code, stdout, stderr } = await cli('wait', '--timeout', '0s', '--json', 'long')
    assert.deepEqual([code, stderr], [124, ''])
    const { id, ...document } = JSON.parse(stdout) as { id: string }
    assert.ok(id.includes(key))
    assert.deepEqual(document, { task: { key, name: 'long' }, state: 'running', timedOut: true })
    assert.equal((await cli('kill', key)).code, 0)
    // More than a timer of Node's takes, which would be over at once.
    for (const time of ['0s', '1000h'])
      assert.deepEqual(await cli('wait', '--timeout', time, 'long'), { code: 137, stdout: '', stderr: '' })
  })

  it('a name that two running tasks have is refused, and the candidates are listed', async () => {
    const keys = [await detached('web', 'sleep', '1000'), await detached('web', 'sleep', '1000')]
    const { code, stdout, stderr } = await cli('stop', 'web')
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^holdfast: TASK: "web" matches 2 tasks\n {2}hint: Give the key of one: /)
    for (const key of keys) assert.ok(stderr.includes(`${key} (web, `), stderr)
    assert.equal((await cli('kill', keys[0] ?? '')).code, 0)
    // Now it means the one that runs.
    assert.match((await cli('kill', 'web')).stdout, new RegExp(`^web \\[${keys[1]}\\] was ended by SIGKILL`))
  })

  it('rm removes several, tells of those it cannot, and tries the others; prune and rm --ended remove what has ended', async () => {
    const up = await detached('up', 'sleep', '1000')
    const ended: string[] = []
    for (const name of ['one', 'two', 'three', 'four']) {
      ended.push(await detached(name, 'true'))
      assert.equal((await cli('wait', name)).code, 0)
    }
    const [one, two, three, four] = ended
    const some = await cli('rm', 'one', 'up', 'ghost', one ?? '')
    assert.deepEqual([some.code, some.stdout], [1, `${one}\n`])
    assert.match(some.stderr, /task up .* is running\n[^]*there is no task "ghost"/)
    assert.equal((await cli('prune', '--older', '1h')).stdout, '')
    const dry = await cli('prune', '--keep', '1', '--dry-run', '--json')
    assert.deepEqual(JSON.parse(dry.stdout), { removed: [two, three], dryRun: true })
    assert.deepEqual(await cli('prune', '--keep', '1'), { code: 0, stdout: `${two}\n${three}\n`, stderr: '' })
    assert.deepEqual(await cli('rm', '--ended'), { code: 0, stdout: `${four}\n`, stderr: '' })
    assert.match((await cli('ps', '--all')).stdout, new RegExp(`^KEY .*\\n${up} [^\\n]*\\n$`))
    for (const args of [['rm'], ['rm', '--ended', 'up']])
      assert.match((await cli(...args)).stderr, /hint: `holdfast rm TASK\.\.\.` removes those/)
    assert.deepEqual(await cli('rm', '--force', 'up'), { code: 0, stdout: `${up}\n`, stderr: '' })
  })

  it('a task that is not there is named, with the place that was looked at', async () => {
    for (const [command, code] of [
      ['wait', 125],
      ['stop', 1],
      ['kill', 1],
      ['rm', 1],
      ['logs', 1],
      ['stats', 1],
    ] as const) {
      const ended = await cli(command, 'ghost')
      assert.equal(ended.code, code, command)
      assert.equal(ended.stderr.split('\n')[0], `holdfast: there is no task "ghost" in ${stateDir}`)
    }
    const { error } = JSON.parse((await cli('wait', '--json', 'ghost')).stdout)
    assert.equal(error.code, 'NOT_FOUND')
  })
})
