import { strict as assert } from 'node:assert'
import type { Command } from 'commander'
import { holdfast } from '../../../src/cli/program.ts'
import { said } from '../../support/command-line.ts'
import { failureCode, takesJson } from './task-words.ts'

const commands = holdfast().commands

/** Words for all that a command needs, and none of them is looked at. */
const required = (command: Command): string[] =>
  command.registeredArguments.filter(({ required: needed }) => needed).map(argument => argument.name())
const takesAny = (command: Command): boolean => command.registeredArguments.some(({ variadic }) => variadic)

describe('the words of every command', () => {
  for (const command of commands) {
    const name = command.name()
    const mistaken = failureCode(name)
    const hint = `  hint: \`holdfast ${name} --help\` shows what it takes.\n`

    it(`${name}: a flag that it does not have is refused with ${mistaken}, and where to look is said`, async () => {
      const ended = await said([name, '--nonesuch', ...required(command)])
      const stderr = `holdfast: unknown option '--nonesuch'\n${hint}`
      assert.deepEqual(ended, { code: mistaken, stdout: '', stderr })
    })

    if (required(command).length > 0)
      it(`${name}: a word too few is named`, async () => {
        const words = required(command)
        const stderr = `holdfast: missing required argument '${words.at(-1)}'\n${hint}`
        assert.deepEqual(await said([name, ...words.slice(1)]), { code: mistaken, stdout: '', stderr })
      })

    if (!takesAny(command))
      it(`${name}: a word too many is refused, and what is there left alone`, async () => {
        const maxArguments = command.registeredArguments.length
        const { code, stdout, stderr } = await said([name, ...Array<string>(maxArguments + 1).fill('word')])
        assert.deepEqual([code, stdout], [mistaken, ''])
        assert.match(
          stderr,
          new RegExp(`^holdfast: too many arguments for '${name}'. Expected ${maxArguments} `),
        )
      })

    if (takesJson(command))
      it(`${name}: a mistake under --json is one document, wherever the flag stands`, async () => {
        for (const words of [
          ['--json', '--nonesuch'],
          ['--nonesuch', '--json'],
        ]) {
          const { code, stdout, stderr } = await said([name, ...words, ...required(command)])
          assert.deepEqual([code, stderr], [mistaken, ''])
          const { error, ...rest } = JSON.parse(stdout)
          assert.deepEqual(
            [rest, error.code, error.message],
            [{}, 'INVALID_ARGUMENT', "unknown option '--nonesuch'"],
          )
        }
      })

    for (const option of command.options.filter(({ required: takesValue }) => takesValue))
      it(`${name}: ${option.long} without a value is refused`, async () => {
        const { code, stdout, stderr } = await said([name, option.long ?? ''])
        assert.deepEqual([code, stdout], [mistaken, ''])
        assert.equal(stderr, `holdfast: option '${option.flags}' argument missing\n${hint}`)
      })

    it(`${name}: a switch takes no value`, async () => {
      for (const { long, required: takesValue } of command.options) {
        if (takesValue) continue
        const { code, stdout, stderr } = await said([name, `${long}=yes`, ...required(command)])
        assert.deepEqual([code, stdout], [mistaken, ''])
        assert.ok(stderr.startsWith(`holdfast: unknown option '${long}=yes'\n  hint: `), stderr)
      }
    })
  }
})

describe('words that are no command', () => {
  const all = '`holdfast --help` shows what it takes.'
  const refusals: readonly (readonly [words: string[], message: string, hint: string])[] = [
    [['stpo'], "unknown command 'stpo'", `Did you mean stop? ${all}`],
    [['help', 'stpo'], "unknown command 'stpo'", `Did you mean stop? ${all}`],
    [['help', 'nothing-like-it'], "unknown command 'nothing-like-it'", all],
    [[''], "unknown command ''", all],
    [['--nonesuch'], "unknown option '--nonesuch'", all],
    [['--nonesuch', 'ps'], "unknown option '--nonesuch'", '`holdfast ps --help` shows what it takes.'],
    [['--state-dir'], "option '--state-dir <DIR>' argument missing", all],
  ]
  for (const [words, message, hint] of refusals)
    it(`${JSON.stringify(words.join(' '))} is refused: ${message}`, async () => {
      const stderr = `holdfast: ${message}\n  hint: ${hint}\n`
      assert.deepEqual(await said(words), { code: 1, stdout: '', stderr })
    })

  it('none at all get the help, as a mistake', async () => {
    const { code, stdout, stderr } = await said([])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^Usage: holdfast \[options\] \[command\]\n/)
  })

  it('help, of everything and of each command, is the same by either word', async () => {
    assert.deepEqual(await said(['help']), await said(['--help']))
    assert.deepEqual(await said(['help', 'help']), await said(['--help']))
    for (const command of commands) {
      const name = command.name()
      const help = await said(['help', name])
      assert.deepEqual([help, help.code, help.stderr], [await said([name, '-h']), 0, ''])
    }
  })

  it('help is bold on a terminal, and not under NO_COLOR or elsewhere', async () => {
    const bold = '\x1b[1mUsage:\x1b[22m'
    const coloured = { NO_COLOR: undefined, FORCE_COLOR: undefined, TERM: 'xterm' }
    assert.ok((await said(['ps', '--help'], { columns: 80, env: coloured })).stdout.startsWith(bold))
    for (const caller of [{ columns: 80, env: { ...coloured, NO_COLOR: '1' } }, { env: coloured }])
      assert.ok((await said(['ps', '--help'], caller)).stdout.startsWith('Usage:'))
  })
})
