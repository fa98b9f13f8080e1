import { strict as assert } from 'node:assert'
import { resolve } from 'node:path'
import { parseCapability } from '../../../src/cli/parse/capability.ts'
import { parseDirectory } from '../../../src/cli/parse/directory.ts'
import { parseCores, parsePort } from '../../../src/cli/parse/number.ts'
import { oneOf } from '../../../src/cli/parse/one-of.ts'
import { invalidArgument } from '../../../src/invalid-argument.ts'
import { parseSince } from '../../../src/cli/parse/since.ts'
import { parseWorkspace } from '../../../src/cli/parse/workspace.ts'
import { usageMistake, wantsJson } from '../../../src/cli/usage-mistake.ts'
import { CommanderError } from 'commander'

const refuses = (parse: (text: string) => unknown, ...texts: readonly string[]): void => {
  for (const text of texts)
    assert.throws(() => parse(text), { code: 'INVALID_ARGUMENT', message: /^--flag: got / }, text)
}

describe('more words of flags', () => {
  it('ports are numbers from 0 to 65535, in digits', () => {
    assert.deepEqual(
      ['0', '80', '65535', '00080'].map(text => parsePort('--flag', text)),
      [0, 80, 65_535, 80],
    )
    refuses(text => parsePort('--flag', text), '', '-1', '65536', '8o', '80 ', '0x50', '1e3', '000080')
  })

  it('cores are decimals, and their range is the library’s to say', () => {
    assert.deepEqual([parseCores('--flag', '0.25'), parseCores('--flag', '99999')], [0.25, 99_999])
    refuses(text => parseCores('--flag', text), '', '.5', '1.', '1,5', '50%')
  })

  it('one of a few words is that word, and no other way to write it', () => {
    const parse = oneOf('group', 'leader')
    assert.equal(parse('--flag', 'leader'), 'leader')
    refuses(text => parse('--flag', text), '', 'Leader', 'lead', 'group ', 'toString')
    assert.throws(() => parse('--flag', 'x'), { message: '--flag: got "x", takes group or leader' })
  })

  it('times are moments of RFC 3339, or so long ago', () => {
    const now = Date.UTC(2026, 0, 31, 12)
    const at = (text: string): string => parseSince('--flag', text, () => now).toISOString()
    assert.equal(at('10m'), '2026-01-31T11:50:00.000Z')
    assert.equal(at('0s'), '2026-01-31T12:00:00.000Z')
    assert.equal(at('2026-01-31T12:00:00Z'), '2026-01-31T12:00:00.000Z')
    assert.equal(at('2026-01-31T13:00:00.5+01:00'), '2026-01-31T12:00:00.500Z')
    assert.equal(at('2026-01-31'), '2026-01-31T00:00:00.000Z')
    refuses(
      text => parseSince('--flag', text),
      '',
      'now',
      '2026',
      '2026-02-30T25:00:00Z',
      '-5m',
      '31.1.2026',
      '1',
    )
  })

  it('capabilities are written as one likes', () => {
    for (const text of ['net_raw', 'NET_RAW', 'cap_net_raw', 'CAP_NET_RAW', 'Cap_Net_Raw'])
      assert.equal(parseCapability(text), 'CAP_NET_RAW')
  })

  it('a directory of the task is absolute, and a relative one is told what to write', () => {
    assert.equal(parseDirectory('--flag', '/srv'), '/srv')
    for (const text of ['.', 'src', '../x', '~'])
      assert.throws(() => parseDirectory('--flag', text), {
        ...{ code: 'INVALID_ARGUMENT', hint: `for ${resolve(text)} of the host: -w ${resolve(text)}` },
        message: `--flag: got ${JSON.stringify(text)}, takes an absolute path, as the task sees it`,
      })
  })

  it('a workspace is a directory of the host, made absolute, and perhaps read-only', () => {
    assert.equal(parseWorkspace('--flag', '/srv/app'), '/srv/app')
    assert.equal(parseWorkspace('--flag', '.'), process.cwd())
    assert.equal(parseWorkspace('--flag', '/srv/a:b'), '/srv/a:b')
    assert.deepEqual(parseWorkspace('--flag', 'x:ro'), { path: resolve('x'), readOnly: true })
    refuses(text => parseWorkspace('--flag', text), '', ':ro')
  })

  it('a refusal shows what it got, the long of it cut, and nothing that a terminal would obey', () => {
    const { message, hint } = invalidArgument('--flag', `${'x'.repeat(79)}\x1b[2J`, 'less', 'so')
    assert.deepEqual([message, hint], [`--flag: got "${'x'.repeat(79)}... (90 characters), takes less`, 'so'])
    assert.equal(
      invalidArgument('--flag', 'x'.repeat(78), 'less').message,
      `--flag: got "${'x'.repeat(78)}", takes less`,
    )
  })
})

describe('a mistake in the command line itself', () => {
  const error = (message: string, code = 'commander.unknownOption', exitCode = 1): CommanderError =>
    new CommanderError(exitCode, code, message)

  it('is a sentence, what was probably meant, and where to look', () => {
    const said = usageMistake(
      error("error: unknown option '--memmory'\n(Did you mean --memory?)"),
      ['run'],
      ['run'],
    )
    assert.deepEqual(said, {
      say: {
        code: 'INVALID_ARGUMENT',
        message: "unknown option '--memmory'",
        hint: 'Did you mean --memory? `holdfast run --help` shows what it takes.',
      },
      exitCode: 1,
      json: false,
    })
  })

  it('is looked up in the help of the first command among the words, else of everything', () => {
    const hint = (...args: readonly string[]): string | undefined =>
      usageMistake(error('error: x'), args, ['run', 'stop']).say?.hint
    assert.equal(hint('--nonesuch', 'stop', 'run'), '`holdfast stop --help` shows what it takes.')
    assert.equal(hint('other'), '`holdfast --help` shows what it takes.')
  })

  it('is none where everything has been said: the help, the version', () => {
    for (const one of [
      error('(outputHelp)', 'commander.helpDisplayed', 0),
      error('0.1.0', 'commander.version', 0),
      error('(outputHelp)', 'commander.help', 1),
    ])
      assert.deepEqual(usageMistake(one, [], []), { say: null, exitCode: one.exitCode, json: false })
  })

  it('is told as JSON where that stands among the words of ours, and not among those of the program', () => {
    assert.ok(wantsJson(['run', '--json', '--', 'x']) && wantsJson(['--json']))
    assert.ok(!wantsJson(['run', '--', 'x', '--json']) && !wantsJson(['run', '--jso']) && !wantsJson([]))
  })
})
