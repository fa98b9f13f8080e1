import { strict as assert } from 'node:assert'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CliBench } from '../support/cli-bench.ts'
import { said } from '../support/command-line.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('what the environment says to the command line', function () {
  this.timeout(120_000)

  let bench: CliBench
  let key: string
  before(async () => {
    bench = new CliBench()
    key = await bench.detached('web', ['sleep', '1000'])
  })
  after(() => bench.dispose())

  const keys = async (words: readonly string[], env: Record<string, string | undefined>): Promise<string> => {
    const { code, stdout, stderr } = await said(words, { env })
    assert.deepEqual([code, stderr], [0, ''])
    return stdout
  }

  it('HOLDFAST_STATE_DIR is where tasks are, and --state-dir wins, before the command or behind it', async () => {
    const elsewhere = temporaryDirectory('elsewhere')
    const env = { HOLDFAST_STATE_DIR: bench.stateDir }
    assert.equal(await keys(['ps', '-q'], env), `${key}\n`)
    assert.equal(await keys(['--state-dir', elsewhere, 'ps', '-q'], env), '')
    assert.equal(await keys(['ps', '-q', '--state-dir', elsewhere], env), '')
    const other = { HOLDFAST_STATE_DIR: elsewhere }
    assert.equal(await keys(['ps', '--state-dir', bench.stateDir, '-q'], other), `${key}\n`)
    assert.equal(
      await keys(['--state-dir', elsewhere, 'ps', '-q', '--state-dir', bench.stateDir], other),
      `${key}\n`,
    )
    removeTemporary(elsewhere)
  })

  it('a relative state directory is one of the working directory, and told by its whole path', async () => {
    const { stderr } = await said(['wait', 'ghost', '--state-dir', 'no/such/state'])
    assert.match(stderr, new RegExp(`there is no task "ghost" in ${process.cwd()}/no/such/state\n`))
    assert.ok(!existsSync('no'))
  })

  it('a state directory that nobody has made yet is made by who starts a task, and by nobody else', async () => {
    const stateDir = join(temporaryDirectory('new'), 'a', 'b')
    for (const words of [['ps'], ['ps', '--all', '--json'], ['stats'], ['prune'], ['top'], ['rm', '--ended']])
      assert.equal((await said(['--state-dir', stateDir, ...words])).code, 0, words.join(' '))
    assert.ok(!existsSync(stateDir))
    const ran = await said(['--state-dir', stateDir, 'run', '--basic', '-q', '--rm', '--', 'true'])
    assert.deepEqual([ran.code, ran.stderr, existsSync(stateDir)], [0, '', true])
  })

  it('a state directory that is none is told by its path, and what mends it', async () => {
    for (const [stateDir, message] of [
      ['/etc/passwd', /^holdfast: .*\/etc\/passwd.*\n/],
      [
        '/etc/passwd/x',
        /^holdfast: the state directory \/etc\/passwd\/x cannot be read: ENOTDIR.*\n {2}hint: /,
      ],
    ] as const) {
      const { code, stdout, stderr } = await said(['ps', '--state-dir', stateDir])
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, message)
    }
  })

  const colored = /\x1b\[/
  const plainTerminal = { NO_COLOR: undefined, TERM: 'xterm', FORCE_COLOR: undefined }

  for (const words of [['ps'], ['ps', '--all'], ['stats'], ['history', 'web'], ['audit'], ['wait', 'ghost']])
    it(`${words.join(' ')} has colours on a terminal, and none under NO_COLOR, on a dumb one, or elsewhere`, async () => {
      const all = async (caller: Parameters<typeof said>[1]): Promise<string> => {
        const { stdout, stderr } = await bench.say(words, caller)
        return stdout + stderr
      }
      assert.match(await all({ columns: 100, env: plainTerminal }), colored)
      for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
        assert.doesNotMatch(await all({ columns: 100, env: { ...plainTerminal, ...env } }), colored)
      assert.doesNotMatch(await all({ env: { ...plainTerminal, FORCE_COLOR: '1' } }), colored)
    })

  it('--json has no colours, and is not cut, on a terminal either', async () => {
    for (const words of [
      ['ps', '--json'],
      ['stats', '--json'],
      ['history', '--json', 'web'],
      ['audit', '--json'],
    ]) {
      const { stdout } = await bench.say(words, { columns: 20, env: plainTerminal })
      assert.doesNotMatch(stdout, colored)
      for (const line of words[0] === 'history' ? stdout.trimEnd().split('\n') : [stdout]) JSON.parse(line)
    }
  })

  it('a table is cut to a terminal, and is whole elsewhere', async () => {
    const command = ['sleep', ...Array<string>(30).fill('1000')]
    const long = await bench.detached('long', command)
    const lines = async (columns?: number): Promise<string> =>
      (
        await bench.say(['ps', '--filter', 'name=long'], {
          ...(columns && { columns }),
          env: { ...plainTerminal, NO_COLOR: '1' },
        })
      ).stdout
    for (const line of (await lines(72)).trimEnd().split('\n')) assert.ok(line.length <= 72, line)
    assert.ok((await lines()).includes(command.join(' ')))
    assert.equal((await bench.say(['kill', long])).code, 0)
  })

  it('where nothing is to be listed, a terminal is told what to do, and a pipe gets the head alone', async () => {
    const stateDir = temporaryDirectory('empty')
    const of = async (words: readonly string[], columns?: number): Promise<string> =>
      (await said(['--state-dir', stateDir, ...words], { ...(columns && { columns }), env: plainTerminal }))
        .stdout
    assert.equal(await of(['ps'], 80), 'No task is running. Start one: holdfast run --detach -- sleep 60\n')
    assert.equal(await of(['stats'], 80), 'No task is running.\n')
    assert.equal(await of(['ps', '-q'], 80), '')
    assert.match(await of(['ps']), /^KEY +NAME .*\n$/)
    assert.match(await of(['stats']), /^KEY +NAME .*\n$/)
    for (const [count, words] of [
      [1, '1 has ended'],
      [2, '2 have ended'],
    ] as const) {
      await said(['--state-dir', stateDir, 'run', '--basic', '-q', '--', 'true'])
      assert.equal(await of(['ps'], 80), `No task is running. ${words}: holdfast ps --all\n`, String(count))
    }
    await said(['--state-dir', stateDir, 'rm', '--ended'])
    removeTemporary(stateDir)
  })
})
