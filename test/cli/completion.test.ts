import { strict as assert } from 'node:assert'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { bashCompletion } from '../../src/cli/completion/bash.ts'
import { fishCompletion } from '../../src/cli/completion/fish.ts'
import { shapeOf } from '../../src/cli/completion/shape.ts'
import { zshCompletion } from '../../src/cli/completion/zsh.ts'
import { holdfast } from '../../src/cli/program.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const shape = shapeOf(holdfast())

/** A PATH on which `holdfast ps` lists two tasks. */
function withTasks(): string {
  const bin = join(temporaryDirectory('completion'), 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'holdfast'), '#!/bin/sh\necho abc1\necho abd2\n')
  chmodSync(join(bin, 'holdfast'), 0o755)
  return `${bin}${delimiter}${process.env.PATH}`
}

/** What bash offers for the last of these words. */
function offered(path: string, ...words: readonly string[]): string[] {
  const script = `${bashCompletion(shape)}
COMP_WORDS=(holdfast "$@"); COMP_CWORD=$#; _holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`
  const env = { PATH: path }
  const output = execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], { encoding: 'utf8', env })
  return output.split('\n').filter(line => line !== '')
}

/** What fish offers for a line, without what it says of each. */
function offeredByFish(path: string, line: string): string[] {
  const file = join(temporaryDirectory('completion'), 'holdfast.fish')
  writeFileSync(file, fishCompletion(shape))
  const script = 'source $argv[1]; complete --do-complete="$argv[2]"'
  const env = { PATH: path, HOME: dirname(file) }
  const output = execFileSync('fish', ['--no-config', '-c', script, file, line], { encoding: 'utf8', env })
  return output.split('\n').flatMap(match => match.split('\t').slice(0, 1).filter(Boolean))
}

/** What a zsh with a terminal offers for a line at the first Tab: what its completion hands to compadd. */
function offeredByZsh(path: string, line: string): string[] {
  const dir = temporaryDirectory('completion')
  for (const [name, text] of Object.entries({
    script: zshCompletion(shape),
    setup: zshSetup,
    driver: zshDriver,
  }))
    writeFileSync(join(dir, name), text)
  const env = { PATH: path, HOME: dir, TERM: 'dumb' }
  const output = execFileSync('zsh', ['-f', join(dir, 'driver'), dir, line], { encoding: 'utf8', env })
  return [...output.matchAll(/<hit:([^>]*)>/g)].flatMap(([, hit = '']) => hit)
}

const zshSetup = `PROMPT= ; cd $HOME; autoload -Uz compinit; compinit -u -D; source $HOME/script
compadd() {
  [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]] && { builtin compadd "$@"; return }
  local -a hits; builtin compadd -A hits "$@"; print -rn -- "<hit:"$^hits">"
}
ended() { print -r -- "<end>"; exit }
comppostfuncs=(ended); bindkey '^I' complete-word; print -r -- "<ready>"
`
const zshDriver = `zmodload zsh/zpty; zpty z zsh -f -i; zpty -w z 'source $HOME/setup'
until_read() { local text; while zpty -r z text; do print -rn -- "$text"; [[ $text == *$1* ]] && return; done }
until_read '<ready>'; zpty -n -w z "$2"$'\\t'; until_read '<end>'
`

function has(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined
}

describe('the completion of the command line', () => {
  it('knows every command of the program, its flags, and what its words are', () => {
    const commands = holdfast().commands.map(command => command.name())
    assert.deepEqual(shape.commands.map(({ name }) => name).sort(), [...commands, 'help'].sort())
    const operands = Object.fromEntries(shape.commands.map(({ name, operands: kind }) => [name, kind]))
    assert.deepEqual(
      [operands.run, operands.exec, operands.stop, operands.rm, operands.doctor],
      ['program', 'task-and-program', 'task', 'tasks', 'none'],
    )
    assert.equal(operands.completion, 'shell')
    const run = shape.commands.find(({ name }) => name === 'run')
    const memory = run?.flags.find(({ names }) => names.includes('--memory'))
    assert.deepEqual([memory?.takesValue, memory?.repeats], [true, false])
    const env = run?.flags.find(({ names }) => names.includes('--env'))
    assert.deepEqual([env?.names, env?.takesValue, env?.repeats], [['-e', '--env'], true, true])
  })

  describe('in bash', () => {
    before(function () {
      if (has('bash')) return
      console.warn('skipped: there is no bash; install it to see its completion')
      this.skip()
    })

    it('offers commands, and the flags of the one that is typed', () => {
      const path = withTasks()
      assert.deepEqual(offered(path, 'st'), ['stop', 'stats'])
      assert.deepEqual(offered(path, '--state-dir', '/x', 'pr'), ['prune'])
      assert.deepEqual(offered(path, 'run', '--mem'), ['--memory'])
      assert.deepEqual(offered(path, 'help', 'dia'), [])
      assert.deepEqual(offered(path, 'help', 'doc'), ['doctor'])
    })

    it('offers tasks where a task is meant, once or as often as the command takes', () => {
      const path = withTasks()
      assert.deepEqual(offered(path, 'stop', 'abc'), ['abc1'])
      assert.deepEqual(offered(path, 'stop', '--grace', '5s', ''), ['abc1', 'abd2'])
      assert.deepEqual(offered(path, 'stop', 'abc1', ''), [])
      assert.deepEqual(offered(path, 'rm', 'abc1', 'abd'), ['abd2'])
      assert.deepEqual(offered(path, 'exec', 'ab'), ['abc1', 'abd2'])
    })

    it('offers the words that a flag takes, where they are few', () => {
      const path = withTasks()
      assert.deepEqual(offered(path, 'run', '--network', ''), ['host', 'none'])
      assert.deepEqual(offered(path, 'run', '--pids', '9', '--cpu-policy', 'b'), ['batch'])
      assert.deepEqual(offered(path, 'stop', '--target', ''), ['group', 'leader'])
      assert.deepEqual(offered(path, 'graph', '--format', ''), ['mermaid', 'json', 'svg'])
      assert.deepEqual(offered(path, 'completion', ''), ['bash', 'zsh', 'fish'])
      assert.deepEqual(offered(path, 'completion', 'bash', ''), [])
    })

    it('leaves the value of a flag and the words of a program to the shell', () => {
      const path = withTasks()
      assert.deepEqual(offered(path, 'run', '--env-file', 'a'), [])
      assert.deepEqual(offered(path, 'run', '--', 'ls', '--mem'), [])
      assert.deepEqual(offered(path, 'run', 'ls', '--mem'), [])
      assert.deepEqual(offered(path, 'exec', 'abc1', 'ls', '--int'), [])
      assert.deepEqual(offered(path, 'exec', 'abc1', '--int'), ['--interpolate', '--interactive'])
    })
  })

  for (const [shell, text, offered] of [
    ['zsh', zshCompletion(shape), offeredByZsh],
    ['fish', fishCompletion(shape), offeredByFish],
  ] as const)
    describe(`in ${shell}`, function () {
      this.timeout(60_000)
      before(function () {
        requires(this, shell)
      })

      it('has a line for each command', () => {
        for (const { name } of shape.commands) assert.match(text, new RegExp(`\\b${name}\\b`))
      })

      it('offers commands, the flags of the one that is typed, and tasks where one is meant', () => {
        const path = withTasks()
        assert.deepEqual(offered(path, 'holdfast st').sort(), ['stats', 'stop'])
        assert.deepEqual(offered(path, 'holdfast --state-dir /x pr'), ['prune'])
        assert.deepEqual(offered(path, 'holdfast run --pids 9 --mem'), ['--memory'])
        assert.deepEqual(offered(path, 'holdfast stop --grace 5s '), ['abc1', 'abd2'])
        assert.deepEqual(offered(path, 'holdfast exec abd'), ['abd2'])
      })

      it('offers the words that a flag takes, where they are few', () => {
        const path = withTasks()
        assert.deepEqual(offered(path, 'holdfast run --network ').sort(), ['host', 'none'])
        assert.deepEqual(offered(path, 'holdfast run --pids 9 --cpu-policy b'), ['batch'])
        assert.deepEqual(offered(path, 'holdfast stop --target ').sort(), ['group', 'leader'])
        assert.deepEqual(offered(path, 'holdfast completion ').sort(), ['bash', 'fish', 'zsh'])
      })

      it('leaves the words of a program to what completes that program', () => {
        const path = withTasks()
        for (const line of ['run -- ls', 'run ls', 'exec abc1 ls', 'run --pids 9 ls'])
          assert.ok(!offered(path, `holdfast ${line} --mem`).includes('--memory'), line)
        assert.ok(offered(path, 'holdfast run --pids 9 mkdi').includes('mkdir'))
      })
    })
})
