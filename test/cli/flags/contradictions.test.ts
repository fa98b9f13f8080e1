import { strict as assert } from 'node:assert'
import { readdirSync } from 'node:fs'
import { holdfast } from '../../../src/cli/program.ts'
import { refuseContradictions } from '../../../src/cli/flags/contradictions.ts'
import { CliBench } from '../../support/cli-bench.ts'

/** Pairs, why they are refused, and the flag with which they are not. */
const pairs: readonly (readonly [string[], string[], RegExp, string[]?])[] = [
  [['--rm'], ['--detach'], /nobody stays to remove the task\n {2}hint: .*`holdfast rm TASK`/],
  [['--result', '/x'], ['--detach'], /nobody stays for the result\n {2}hint: `holdfast wait --json TASK`/],
  [['--json'], ['--tty'], /the task has the terminal\n {2}hint: --result FILE/, ['--detach']],
  [['--allow', 'example.com'], ['--network', 'none'], /what is allowed is all of its network\n$/],
  [['--allow', 'example.com'], ['--basic'], /the Basic executor isolates nothing\n$/],
  [['--untrusted'], ['--basic'], /the Basic executor isolates nothing\n$/],
]

describe('flags that cannot go together', () => {
  let bench: CliBench
  before(() => {
    bench = new CliBench()
  })
  after(() => bench.dispose())

  const options = (words: readonly string[]): Readonly<Record<string, unknown>> => {
    const run = holdfast().commands.find(command => command.name() === 'run')
    run?.parseOptions([...words])
    return run?.opts() ?? {}
  }

  for (const [one, other, reason, unless] of pairs) {
    const [first = '', second = ''] = [one[0], other[0]]

    it(`${first} and ${second}: refused in either order, and nothing is run`, async () => {
      for (const words of [
        [...one, ...other],
        [...other, ...one],
      ]) {
        const { code, stdout, stderr } = await bench.say(['run', ...words, '--', 'true'])
        // Under --json it is a document, in the same words.
        const said = words.includes('--json') ? textOf(stdout) : stderr
        assert.equal(code, 125)
        assert.match(said, new RegExp(`^(holdfast: )?${first} cannot go with ${second}: `))
        assert.match(said, reason)
      }
      assert.deepEqual(readdirSync(bench.stateDir), [])
    })

    it(`${first} and ${second}: each alone is taken${unless ? `, and both with ${unless.join(' ')}` : ''}`, () => {
      for (const words of [one, other, ...(unless ? [[...one, ...other, ...unless]] : [])])
        refuseContradictions(options(words))
    })
  }

  it('of exec are refused as those of run are', async () => {
    const { code, stdout, stderr } = await bench.say(['exec', '--json', '--tty', 'web', 'true'])
    assert.deepEqual([code, stderr], [125, ''])
    assert.match(textOf(stdout), /^--json cannot go with --tty/)
  })
})

function textOf(stdout: string): string {
  const { error } = JSON.parse(stdout) as { error: { message: string; hint?: string } }
  return `${error.message}\n${error.hint === undefined ? '' : `  hint: ${error.hint}\n`}`
}
