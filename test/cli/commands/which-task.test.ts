import { strict as assert } from 'node:assert'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CliBench } from '../../support/cli-bench.ts'
import { failureCode, on, onTasks, takesJson } from './task-words.ts'

/** Words that mean no task, or more than one: what each command on a task says of them, and does nothing. */
describe('a word that means no task', function () {
  this.timeout(120_000)

  let bench: CliBench
  let twins: readonly string[]
  let spoilt: string
  before(async () => {
    bench = new CliBench()
    twins = [
      await bench.detached('twin', ['sleep', '1000']),
      await bench.detached('twin', ['sleep', '1000']),
      await bench.ended('twin', ['true']),
    ]
    spoilt = await bench.ended('spoilt', ['true'])
    bench.spoil(spoilt)
  })
  after(() => bench.dispose())

  const elsewhere = '`holdfast ps --all` lists what is there; --state-dir chooses another directory.'
  type Refusal = { readonly code: string; readonly message: string; readonly hint: string }
  const notThere = (word: string): Refusal => ({
    code: 'NOT_FOUND',
    message: `there is no task ${JSON.stringify(word)} in ${bench.stateDir}`,
    hint: elsewhere,
  })
  const several = (word: string, ...states: readonly string[]): Refusal => ({
    code: 'INVALID_ARGUMENT',
    message: `TASK: "${word}" matches ${states.length} tasks`,
    hint: `Give the key of one: ${states.map((state, index) => `${twins[index]} (twin, ${state})`).join(', ')}`,
  })
  /** What all keys of this hour begin with. */
  const beginning = (): string => (twins[0] ?? '').slice(0, 2)

  const words: Readonly<Record<string, () => readonly [word: string, refusal: Refusal]>> = {
    'a name that nobody has': () => ['ghost', notThere('ghost')],
    'nothing at all': () => ['', notThere('')],
    'a path that is no key': () => ['../../etc', notThere('../../etc')],
    'what a terminal would obey': () => [
      'a\x1b[2J',
      { ...notThere(''), message: `there is no task "a\\u001b[2J" in ${bench.stateDir}` },
    ],
    'a name of two that run': () => ['twin', several('twin', 'running', 'running')],
    'the beginning of several keys': () => [
      beginning(),
      several(beginning(), 'running', 'running', 'exited'),
    ],
  }

  for (const command of onTasks) {
    const name = command.name()
    const code = failureCode(name)

    for (const [what, given] of Object.entries(words))
      it(`${name}: ${what} is refused with ${code}, and a sentence`, async () => {
        const [word, { message, hint }] = given()
        const ended = await bench.say(on(command, word))
        assert.deepEqual(ended, { code, stdout: '', stderr: `holdfast: ${message}\n  hint: ${hint}\n` })
      })

    if (takesJson(command))
      it(`${name} --json: the same, as one document`, async () => {
        for (const given of Object.values(words)) {
          const [word, refusal] = given()
          const ended = await bench.say(on(command, word, '--json'))
          assert.deepEqual([ended.code, ended.stderr], [code, ''])
          const { error, ...rest } = JSON.parse(ended.stdout)
          const { path, ...said } = error
          assert.deepEqual([said, rest], [refusal, {}])
          assert.equal(path, refusal.code === 'NOT_FOUND' ? bench.stateDir : undefined)
        }
      })

    it(`${name}: the key of a task whose records are spoilt is told by what is wrong with them`, async () => {
      const ended = await bench.say(on(command, spoilt))
      // What has happened is told by another file, which can still be read.
      if (name === 'history') {
        assert.deepEqual([ended.code, ended.stderr], [0, ''])
        return assert.match(ended.stdout, /^NO .*\n[^]*running → exited +EXITED +exited, exit code 0\n$/)
      }
      assert.deepEqual([ended.code, ended.stdout], [code, ''])
      assert.match(ended.stderr, /^holdfast: the stored task cannot be used: task\.json is no JSON: /)
      assert.match(ended.stderr, /\n {2}hint: Nothing was changed\. [^\n]*`holdfast rm --force`[^\n]*\n$/)
    })
  }

  it('and nothing has happened to any', async () => {
    const { tasks, quarantined } = JSON.parse((await bench.say(['ps', '--all', '--json'])).stdout)
    assert.deepEqual(
      tasks.map(({ key, state }: { key: string; state: string }) => [key, state]),
      twins.map((key, index) => [key, index < 2 ? 'running' : 'exited']),
    )
    assert.deepEqual(
      quarantined.map(({ key, error }: { key: string; error: { code: string } }) => [key, error.code]),
      [[spoilt, 'STATE_CORRUPT']],
    )
    assert.deepEqual(readdirSync(join(bench.stateDir, 'tasks')).sort(), [...twins, spoilt].sort())
  })

  it('ps lists what can be used, and tells of the spoilt one on standard error, with exit code 0', async () => {
    for (const words of [['ps'], ['ps', '--all'], ['ps', '--quiet']]) {
      const { code, stdout, stderr } = await bench.say(words)
      assert.equal(code, 0)
      assert.ok(!stdout.includes(spoilt) && stdout.includes(twins[0] ?? ''), stdout)
      assert.ok(stderr.startsWith(`${spoilt}: holdfast: the stored task cannot be used`), stderr)
    }
  })

  it('rm without --force leaves the spoilt one, and with it removes it, by its whole key alone', async () => {
    const directory = join(bench.stateDir, 'tasks', spoilt)
    const refused = await bench.say(['rm', '--force', spoilt.slice(0, -1)])
    assert.deepEqual([refused.code, refused.stdout], [1, ''])
    assert.match(refused.stderr, /^holdfast: there is no task /)
    assert.equal((await bench.say(['rm', spoilt])).code, 1)
    assert.ok(existsSync(directory))
    assert.deepEqual(await bench.say(['rm', '--force', spoilt]), {
      code: 0,
      stdout: `${spoilt}\n`,
      stderr: '',
    })
    assert.ok(!existsSync(directory))
  })
})
